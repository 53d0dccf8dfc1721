using System.Net;
using System.Text;
using System.Text.Json;
using Duplex.Push.Tests;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

/// <summary>Pushes of customers that the API makes.</summary>
public sealed class PushApiTests
{
    private const string Customer = "/v1/customers/zoo";
    private const string Secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    private const string Fresh = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY=";

    [Fact]
    public async Task A_push_takes_effect_at_once_survives_a_restart_and_ends_when_it_is_left_out()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await StartAsync(Body(receiver.Url, Secret));
        await server.PostAsync(1, "Ada");
        await ArrivedAsync(receiver, 1);
        receiver.Arrivals.Last().IsSignedWith(Secret).ShouldBeTrue();

        await server.RestartAsync();
        await server.PostAsync(2, "Bob");
        await ArrivedAsync(receiver, 2);
        receiver.Arrivals.Last().IsSignedWith(Secret).ShouldBeTrue();

        var without = await server.SendAsync(HttpMethod.Put, Customer, """{"tables":["users"]}""");
        without.TryGetProperty("push", out _).ShouldBeFalse();
        await server.PostAsync(3, "Eve");
        await server.FeedAsync("zoo", 3);
        receiver.Arrivals.Count.ShouldBe(2);
        await server.SendAsync(HttpMethod.Put, Customer, """{"tables":["users"],"push":{"url":"https://example.com/"}}""",
            HttpStatusCode.BadRequest);
        await server.SendAsync(HttpMethod.Put, Customer, Body(receiver.Url, Fresh));
        await ArrivedAsync(receiver, 3);
        receiver.Arrivals.Select(static a => a.Offset).ShouldBe([1, 2, 3]);
        receiver.Arrivals.Last().IsSignedWith(Fresh).ShouldBeTrue();
    }

    [Fact]
    public async Task A_secret_is_told_nowhere_and_stored_sealed_only()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await StartAsync(Body(receiver.Url, Secret, "?token=opensesame"));
        await server.PostAsync(1, "Ada");
        await ArrivedAsync(receiver, 1);
        foreach (var path in new[] { Customer, "/v1/customers", "/v1/status" })
        {
            var answer = (await server.SendAsync(HttpMethod.Get, path)).GetRawText();
            answer.ShouldNotContain(Secret["whsec_".Length..]);
            answer.ShouldNotContain("opensesame");
        }

        var push = (await server.SendAsync(HttpMethod.Get, Customer)).GetProperty("push");
        push.GetProperty("url").GetString().ShouldBe(receiver.Url.ToString());
        push.GetProperty("secrets").GetInt32().ShouldBe(1);
        (await server.Host.Engine.Parts.Store.ListValuesAsync("", default))
            .ShouldAllBe(static v => !v.Value.Contains("MDEyMzQ1", StringComparison.Ordinal));
        foreach (var file in Directory.EnumerateFiles(server.Folder, "*", SearchOption.AllDirectories)
            .Where(static f => !f.EndsWith(".lock", StringComparison.Ordinal)))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var copy = new MemoryStream();
            await stream.CopyToAsync(copy);
            copy.ToArray().AsSpan().IndexOf(Encoding.ASCII.GetBytes(Secret["whsec_".Length..])).ShouldBe(-1, file);
        }
    }

    [Fact]
    public async Task A_secret_that_is_left_out_is_kept_and_one_that_is_replaced_signs_for_a_time()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await StartAsync(Body(receiver.Url, Secret));
        await server.SendAsync(HttpMethod.Put, Customer, Body(receiver.Url, null));
        await server.PostAsync(1, "Ada");
        await ArrivedAsync(receiver, 1);
        receiver.Arrivals.Last().IsSignedWith(Secret).ShouldBeTrue();

        await server.SendAsync(HttpMethod.Post, $"{Customer}/push/secret", $$"""{"secret":"{{Fresh}}","keep_former":"1h"}""");
        await server.RestartAsync();
        await server.PostAsync(2, "Bob");
        await ArrivedAsync(receiver, 2);
        (receiver.Arrivals.Last().IsSignedWith(Secret), receiver.Arrivals.Last().IsSignedWith(Fresh)).ShouldBe((true, true));
        (await server.SendAsync(HttpMethod.Get, Customer)).GetProperty("push").GetProperty("secrets").GetInt32().ShouldBe(2);

        await server.SendAsync(HttpMethod.Post, $"{Customer}/push/secret", $$"""{"secret":"{{Fresh}}","keep_former":"0s"}""");
        await server.PostAsync(3, "Eve");
        await ArrivedAsync(receiver, 3);
        (receiver.Arrivals.Last().IsSignedWith(Secret), receiver.Arrivals.Last().IsSignedWith(Fresh)).ShouldBe((false, true));
        server.Host.Engine.Parts.Secrets!.List().Count.ShouldBe(1, "secrets that count no more are forgotten");
        await server.SendAsync(HttpMethod.Delete, Customer);
        server.Host.Engine.Parts.Secrets!.List().ShouldBeEmpty();
    }

    [Fact]
    public async Task An_endpoint_that_is_gone_is_shown_and_another_one_gets_what_waits()
    {
        await using var gone = await Receiver.StartAsync(static _ => 410);
        await using var other = await Receiver.StartAsync();
        await using var server = await StartAsync(Body(gone.Url, Secret));
        await server.PostAsync(1, "Ada");
        await RunningServer.UntilAsync(async () => await StateAsync(server) == "disabled", "the endpoint is disabled");
        var error = Progress(await server.SendAsync(HttpMethod.Get, Customer)).GetProperty("error");
        error.GetProperty("code").GetString().ShouldBe("sink.gone");

        await server.SendAsync(HttpMethod.Put, Customer, Body(other.Url, null));
        await ArrivedAsync(other, 1);
        await RunningServer.UntilAsync(async () => await StateAsync(server) == "running", "the endpoint is enabled");
        await server.SendAsync(HttpMethod.Post, $"{Customer}/push/resend", """{"offset":1}""");
        await ArrivedAsync(other, 2);
        other.Arrivals.Select(static a => a.Id).Distinct().Count().ShouldBe(1);
        await server.SendAsync(HttpMethod.Post, $"{Customer}/push/resend", """{"offset":7}""", HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"url":"ftp://example.com/","secret":"whsec_1","timeout":"10m","colour":1,"retry":["soon"],"allow":["here"]}""",
        "/push/url", "/push/secret", "/push/timeout", "/push/colour", "/push/retry/0", "/push/allow")]
    [InlineData("""{"url":"nowhere","parallelism":0}""", "/push/url", "/push", "/push/parallelism")]
    [InlineData("""{"url":"http://169.254.169.254/latest","secret":"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}""", "/push/url")]
    [InlineData("""{"url":"https://x.org/","topic":"t","secret":"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}""", "/push", "/push/topic")]
    [InlineData("""{"secret":"${env:HOME}"}""", "/push", "/push/secret")]
    [InlineData("""{"topic":"t","kafka":{"bootstrap":"elsewhere:9092"}}""", "/push/kafka", "/push/topic")]
    [InlineData("5", "/push")]
    public async Task Every_fault_of_a_push_is_told_at_once_with_its_place_and_fix(string push, params string[] places)
    {
        await using var server = await RegistryServer.StartAsync();
        var problem = await server.SendAsync(
            HttpMethod.Put, Customer, $$"""{"tables":["users"],"push":{{push}}}""", HttpStatusCode.BadRequest);
        var findings = problem.GetProperty("findings").EnumerateArray().ToList();
        findings.Select(static f => f.GetProperty("path").GetString()).Distinct().ShouldBe(places, ignoreOrder: true, problem.GetRawText());
        findings.ShouldAllBe(static f => f.GetProperty("fix").GetString()!.Length > 0);
        problem.GetRawText().ShouldNotContain("MDEyMzQ1");
        server.Host.Engine.Parts.Secrets!.List().ShouldBeEmpty();
        await server.SendAsync(HttpMethod.Get, Customer, null, HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"secret":"whsec_1","keep_former":"90d"}""", 400, 2)]
    [InlineData("{}", 400, 1)]
    [InlineData("""{"secret":"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}""", 409, 0)]
    public async Task A_secret_cannot_be_replaced_by_none_or_where_there_is_none(string body, int status, int findings)
    {
        await using var server = await StartAsync("""{"tables":["users"]}""");
        var problem = await server.SendAsync(HttpMethod.Post, $"{Customer}/push/secret", body, (HttpStatusCode)status);
        (problem.TryGetProperty("findings", out var found) ? found.GetArrayLength() : 0).ShouldBe(findings);
    }

    [Fact]
    public async Task A_key_of_one_tenant_opens_no_addresses()
    {
        await using var server = await RegistryServer.StartAsync(keys: true);
        var body = Body(new Uri("http://127.0.0.1:8099/hook"), Secret);
        await server.SendAsync(HttpMethod.Put, Customer, body, HttpStatusCode.Forbidden, key: RunningServer.OtherTenantKey);
        await server.SendAsync(HttpMethod.Get, Customer, null, HttpStatusCode.NotFound, key: RunningServer.OperatorKey);
        server.Host.Engine.Parts.Secrets!.List().ShouldBeEmpty();
        await server.SendAsync(HttpMethod.Put, Customer, body, key: RunningServer.OperatorKey);
    }

    [Fact]
    public async Task The_command_line_makes_shows_and_removes_a_push()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await RegistryServer.StartAsync();
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", RegistryServer.UserSchema);
        var file = Path.Combine(server.Folder, "zoo.json");
        await File.WriteAllTextAsync(file, Body(receiver.Url, Secret));
        var url = server.Host.ControlAddress.ToString();
        (await CommandLine.RunAsync("customers", "put", "zoo", file, "--url", url)).Output.ShouldContain($"pushed to {receiver.Url}");
        await server.SendAsync(HttpMethod.Put, $"{Customer}/mappings/users?activate=true", """{"rules":[{"a":"id","b":"id"}]}""");
        await server.PostAsync(1, "Ada");
        await ArrivedAsync(receiver, 1);
        (await CommandLine.RunAsync("customers", "show", "zoo", "--url", url)).Output.ShouldContain("running");
        (await CommandLine.RunAsync("customers", "resend", "zoo", "1", "--url", url)).Output.ShouldBe("zoo: resent\n");
        await ArrivedAsync(receiver, 2);
        var rotated = await CommandLine.RunAsync(
            ["customers", "rotate-secret", "zoo", "--keep-former", "0s", "--url", url], default, input: $"{Fresh}\n");
        rotated.Output.ShouldBe("zoo: rotated\n", rotated.Errors);
        await server.PostAsync(2, "Bob");
        await ArrivedAsync(receiver, 3);
        receiver.Arrivals.Last().IsSignedWith(Fresh).ShouldBeTrue();
        (await CommandLine.RunAsync("customers", "remove", "zoo", "--url", url)).Output.ShouldBe("zoo: removed\n");
    }

    private static async Task<RegistryServer> StartAsync(string body)
    {
        var server = await RegistryServer.StartAsync();
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", RegistryServer.UserSchema);
        await server.SendAsync(HttpMethod.Put, Customer, body);
        await server.SendAsync(HttpMethod.Put, $"{Customer}/mappings/users?activate=true", """{"rules":[{"a":"id","b":"id"}]}""");
        return server;
    }

    private static string Body(Uri url, string? secret, string query = "") =>
        $"{{\"tables\":[\"users\"],\"push\":{{\"url\":\"{url}{query}\",\"allow\":[\"127.0.0.1\"]{(secret is null ? "" : $",\"secret\":\"{secret}\"")}}}}}";

    private static Task ArrivedAsync(Receiver receiver, int count) => RunningServer.UntilAsync(
        () => Task.FromResult(receiver.Arrivals.Count >= count), $"{count} webhooks have arrived");

    private static async Task<string?> StateAsync(RegistryServer server) =>
        Progress(await server.SendAsync(HttpMethod.Get, Customer)).GetProperty("state").GetString();

    private static JsonElement Progress(JsonElement customer) => customer.GetProperty("progress").GetProperty("push");
}
