using System.Net;
using System.Text;
using System.Text.Json;
using Duplex.Cli;
using Duplex.Engine.Registry;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace Duplex.Server.Tests;

/// <summary>A server that takes posted changes and has no customers but those that the API makes.</summary>
internal sealed class RegistryServer : IAsyncDisposable
{
    public const string UserSchema = """
        {"type":"object","required":["table","event_type","primary_key"],"properties":{
          "table":{"type":"string"},"event_type":{"enum":["INSERT","UPDATE","DELETE"]},
          "primary_key":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}},
          "after":{"type":["object","null"],"properties":{"name":{"type":"string"}}}}}
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("duplex-registry-").FullName;
    private readonly bool _keys;
    private readonly string _section;
    private ServerHost? _host;

    private RegistryServer(bool keys, string section) => (_keys, _section) = (keys, section);

    public ServerHost Host => _host!;

    /// <summary>Where the server keeps everything.</summary>
    public string Folder => _folder;

    public HttpClient Control { get; private set; } = null!;

    public HttpClient Data { get; private set; } = null!;

    /// <summary>Starts it, with a further section in its configuration.</summary>
    public static async Task<RegistryServer> StartAsync(bool keys = false, string section = "", Action<string>? prepare = null)
    {
        var server = new RegistryServer(keys, section);
        prepare?.Invoke(server._folder);
        await server.StartHostAsync();
        return server;
    }

    /// <summary>What the examples of the API are about.</summary>
    public static async Task SeedAsync(ServerHost host)
    {
        var registry = host.Engine.Registry;
        const string schema = """
            {"type":"object","properties":{"table":{"type":"string"},"event_type":{"type":"string"},
            "primary_key":{"type":"object","properties":{"id":{}},"required":["id"]},"userId":{}}}
            """;
        await registry.InternalSchemas.PutInternalSchemaAsync("users", schema, new SchemaNote("tests", true), default);
        await registry.PutAsync("customer-c", "tables: [ users ]", null, default);
        await registry.Schemas.PutSchemaAsync("customer-c", "users", schema, new SchemaNote("tests", true), default);
        await registry.Mappings.PutMappingAsync(
            "customer-c", "users", "rules: [ { a: id, b: userId } ]", new DocumentNote("tests", true), default);
    }

    public async Task RestartAsync()
    {
        await StopHostAsync();
        await StartHostAsync();
    }

    /// <summary>Sends a document to the API and expects the status; the answer.</summary>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, string? body = null,
        HttpStatusCode status = HttpStatusCode.OK, string type = "application/json", string? key = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, type);
        }

        if (key is not null)
        {
            request.Headers.Authorization = new("Bearer", key);
        }

        using var response = await Control.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(status, $"{method} {path}: {text}");
        return JsonElement.Parse(text);
    }

    public async Task<HttpStatusCode> PostAsync(int id, string name, string operation = "INSERT")
    {
        using var content = new StringContent(
            $$$"""{"table":"users","event_type":"{{{operation}}}","primary_key":{"id":{{{id}}}},"after":{"id":{{{id}}},"name":"{{{name}}}"}}""",
            Encoding.UTF8, "application/json");
        using var response = await Data.PostAsync("/sync", content);
        return response.StatusCode;
    }

    /// <summary>The data of a customer's feed once it has so many records.</summary>
    public async Task<IReadOnlyList<string>> FeedAsync(string customer, int records)
    {
        var feeds = Host.Engine.Parts.Feeds!;
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await feeds.WaitAsync(customer, records - 1, deadline.Token);
        return [.. (await feeds.ReadAsync(customer, 0, 1_000, null, default)).Select(static r => Encoding.UTF8.GetString(r.Data.Span))];
    }

    public async ValueTask DisposeAsync()
    {
        await StopHostAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartHostAsync()
    {
        var path = Path.Combine(_folder, "duplex.yaml");
        Directory.CreateDirectory(Path.Combine(_folder, "schemas"));
        await File.WriteAllTextAsync(path, $$"""
            data: ./data
            server:
              control_plane: 127.0.0.1:0
              data_plane: 127.0.0.1:0
            {{(_keys ? Keys : "")}}
            ingest: { schemas: ./schemas }
            {{_section}}
            """);
        var (model, server, _) = ConfigFile.Require(path);
        _host = await ServerHost.StartAsync(
            model, server, ConnectorCatalog.Standard, NullLoggerFactory.Instance, CancellationToken.None);
        Control = new HttpClient { BaseAddress = _host.ControlAddress };
        Data = new HttpClient { BaseAddress = _host.DataAddress };
    }

    private async Task StopHostAsync()
    {
        Control.Dispose();
        Data.Dispose();
        await Host.StopAsync();
        await Host.DisposeAsync();
    }

    private const string Keys =
        $$"""
          api_keys:
            - { name: ops, key: "{{RunningServer.OperatorKey}}", role: operator }
            - { name: screen, key: "{{RunningServer.ViewerKey}}", role: viewer, tenant: acme }
            - { name: other, key: "{{RunningServer.OtherTenantKey}}", role: operator, tenant: globex }
        """;
}
