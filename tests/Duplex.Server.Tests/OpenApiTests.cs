using System.Text;
using System.Text.Json;
using Duplex.Engine.State;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

public sealed class OpenApiTests
{
    private static readonly string[] NotDescribed = ["/openapi/{documentName}.json"];

    [Fact]
    public async Task Every_route_is_described()
    {
        await using var server = await RunningServer.StartAsync();
        var paths = (await DocumentAsync(server)).GetProperty("paths");
        var described = paths.EnumerateObject()
            .SelectMany(static p => p.Value.EnumerateObject()
                .Where(static m => m.Value.ValueKind == JsonValueKind.Object)
                .Select(m => $"{m.Name.ToUpperInvariant()} {p.Name}")).ToHashSet();
        var served = server.Host.Routes
            .Select(static r =>
                (Path: "/" + r.RoutePattern.RawText!.Trim('/').Replace(":long", "", StringComparison.Ordinal),
                Methods: r.Metadata.OfType<Microsoft.AspNetCore.Routing.HttpMethodMetadata>()
                    .FirstOrDefault()?.HttpMethods ?? ["GET"]))
            .Where(static r => !NotDescribed.Contains(r.Path))
            .SelectMany(static r => r.Methods.Select(m => $"{m} {r.Path}")).ToHashSet();
        served.ShouldNotBeEmpty();
        described.ShouldBe(served, ignoreOrder: true);
    }

    [Fact]
    public async Task Every_operation_has_an_example_of_its_answer()
    {
        await using var server = await RunningServer.StartAsync();
        foreach (var (path, method, operation) in Operations(await DocumentAsync(server)))
        {
            if (path.StartsWith("/webhooks", StringComparison.Ordinal) || path == "/metrics")
            {
                continue;
            }

            operation.GetProperty("responses").EnumerateObject().Where(static r => r.Name[0] == '2')
                .SelectMany(static r => r.Value.GetProperty("content").EnumerateObject())
                .Select(static c => c.Value.TryGetProperty("example", out var example)
                    ? example.ValueKind : JsonValueKind.Undefined)
                .ShouldContain(JsonValueKind.Object, $"{method} {path}");
        }
    }

    [Fact]
    public async Task Every_example_runs()
    {
        await using var server = await RunningServer.StartAsync();
        await server.UntilReadyAsync();
        await AddDeadLetterAsync(server);
        await FeedServer.SeedAsync(server, 1);
        await SeedPushAsync(server);
        (await server.AddConflictAsync("42", "cus_PqR8")).ShouldBe(1);
        using var http = server.Http();
        var ran = 0;
        // Replays remove what others show, so they come last.
        var operations = Operations(await DocumentAsync(server))
            .OrderBy(static o => o.Path.Contains("replay", StringComparison.Ordinal))
            .ThenByDescending(static o => o.Method is "POST")
            .OrderBy(static o => o is { Method: "DELETE", Path: "/v1/customers/{customer}" });
        foreach (var (path, method, operation) in operations)
        {
            if (path.StartsWith("/webhooks", StringComparison.Ordinal) || TakesChanges(path))
            {
                continue;
            }

            using var request = Request(path, method, operation);
            using var response = await http.SendAsync(request);
            var what = $"{method} {request.RequestUri}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
            var documented =
                operation.GetProperty("responses").TryGetProperty(((int)response.StatusCode).ToString(), out _);
            documented.ShouldBeTrue(what);
            response.IsSuccessStatusCode.ShouldBeTrue(what);
            ran++;
        }

        ran.ShouldBeGreaterThan(15);
    }

    /// <summary>What the examples are about: a customer with a push that has nothing left to send.</summary>
    private static async Task SeedPushAsync(RunningServer server)
    {
        // The feed belongs to the customer's leg as soon as there is one.
        await FeedServer.SeedAsync(server, 1, "customer-c");
        await server.Host.Engine.Parts.Feeds!.CommitConsumerAsync("customer-c", "push", 1, rewind: false, default);
        await RegistryServer.SeedAsync(server.Host);
        await server.Host.Engine.Registry.PutAsync("customer-c", """
            tables: [ users ]
            push: { url: "http://127.0.0.1:9/hook", allow: [ "127.0.0.1:9" ], secret: whsec_YSBzZWNyZXQgZm9yIGRvY3VtZW50YXRpb24gb25seQ== }
            """, null, default);
    }

    /// <summary>What a server with schemas answers, and is run against one.</summary>
    private static bool TakesChanges(string path) => path is "/sync" or "/sync/batch" or "/events" or "/health";

    private static async Task AddDeadLetterAsync(RunningServer server)
    {
        var store = server.Host.Engine.Parts.Store;
        var commit =
            new StateCommit { Owner = "tests", Epoch = await store.AcquireAsync("tests", CancellationToken.None) };
        var envelope =
            """{"op":"u","after":{"id":"cus_1"},"source":{"connector":"stripe","name":"shop","stream":"customers","pos":"","ts_us":1},"ts_ms":1}""";
        commit.Mutations.Add(new StateMutation.PutDeadLetter(new DeadLetter(
            0, new LegId("acme/customers", Side.A), RecordKey.Of("cus_1"), Encoding.UTF8.GetBytes(envelope), 0, 1, 1,
            new SyncError(ErrorCode.SinkRejected, "Refused."))));
        await store.CommitAsync(commit, CancellationToken.None);
    }

    private static HttpRequestMessage Request(string path, string method, JsonElement operation)
    {
        var query = new StringBuilder();
        foreach (var parameter in operation.TryGetProperty("parameters", out var list) ? list.EnumerateArray() : [])
        {
            var name = parameter.GetProperty("name").GetString()!;
            if (!parameter.TryGetProperty("example", out var example))
            {
                parameter.TryGetProperty("required", out var required);
                required.ValueKind.ShouldNotBe(JsonValueKind.True,
                    $"{method} {path}: {name} is required and has no example");
                continue;
            }

            var value = Uri.EscapeDataString(example.ToString());
            if (parameter.GetProperty("in").GetString() == "path")
            {
                path = path.Replace($"{{{name}}}", value, StringComparison.Ordinal);
            }
            else
            {
                query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=').Append(value);
            }
        }

        var request = new HttpRequestMessage(new HttpMethod(method), path + query);
        if (operation.TryGetProperty("requestBody", out var body))
        {
            var example =
                body.GetProperty("content").GetProperty("application/json").GetProperty("example").GetRawText();
            request.Content = new StringContent(example, Encoding.UTF8, "application/json");
        }

        return request;
    }

    private static IEnumerable<(string Path, string Method, JsonElement Operation)> Operations(JsonElement document) =>
        document.GetProperty("paths").EnumerateObject().SelectMany(static p =>
            p.Value.EnumerateObject().Where(static m => m.Value.ValueKind == JsonValueKind.Object)
                .Select(m => (p.Name, m.Name.ToUpperInvariant(), m.Value)));

    private static async Task<JsonElement> DocumentAsync(RunningServer server)
    {
        using var http = server.Http();
        return JsonElement.Parse(await http.GetStringAsync("/openapi/v1.json"));
    }
}
