using System.Net;
using System.Text;
using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Log;
using Duplex.Sdk;
using Duplex.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.Ingest.Tests;

/// <summary>A server in this process that does nothing but take changes, on free ports, with its stores in a temporary
/// folder.</summary>
internal sealed class IngestServer : IAsyncDisposable
{
    private readonly bool _ownsFolder;

    private IngestServer(ServerHost host, string folder, bool ownsFolder)
    {
        Host = host;
        Folder = folder;
        _ownsFolder = ownsFolder;
        Http = new HttpClient { BaseAddress = host.DataAddress, Timeout = TimeSpan.FromSeconds(100) };
    }

    public ServerHost Host { get; }

    public string Folder { get; }

    public HttpClient Http { get; }

    /// <summary>The seed's tables as schemas, beside the tests.</summary>
    public static string Schemas => Path.Combine(AppContext.BaseDirectory, "schemas");

    public static string Yaml(string ingest = "", string server = "", int dataPort = 0, int controlPort = 0) =>
        $$"""
        data: ./data
        server: { control_plane: "127.0.0.1:{{controlPort}}", data_plane: "127.0.0.1:{{dataPort}}"{{server}} }
        ingest: { schemas: "{{Schemas}}"{{ingest}} }
        """;

    public static async Task<IngestServer> StartAsync(string ingest = "", string server = "", string? folder = null)
    {
        var path = folder ?? Directory.CreateTempSubdirectory("duplex-ingest-").FullName;
        var config = ConfigLoader.Load(Yaml(ingest, server), Path.Combine(path, "duplex.yaml"),
            new ConfigSources { Connectors = ConnectorCatalog.Standard.All });
        config.Findings.ShouldBeEmpty();
        var host = await ServerHost.StartAsync(config.Model!, config.Server!, ConnectorCatalog.Standard,
            NullLoggerFactory.Instance, CancellationToken.None);
        return new IngestServer(host, path, folder is null);
    }

    public Task<Answer> PostAsync(string body, string? idempotencyKey = null, string type = "application/json") =>
        PostAsync("/sync", Encoding.UTF8.GetBytes(body), idempotencyKey, type);

    public async Task<Answer> PostAsync(string path, byte[] body, string? idempotencyKey = null,
        string type = "application/json", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (idempotencyKey is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        using var response = await Http.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(),
            response.Headers.RetryAfter?.Delta);
    }

    /// <summary>Everything in a topic, partition by partition.</summary>
    public Task<List<Change>> ReadAsync(string topic) => ReadAsync(Host.Engine.Parts.Log, topic);

    public static async Task<List<Change>> ReadAsync(IChangeLog log, string topic)
    {
        var changes = new List<Change>();
        foreach (var partition in await log.DescribeAsync(CancellationToken.None))
        {
            for (var offset = partition.FirstOffset;
                partition.Topic == topic && offset < partition.NextOffset;)
            {
                using var page = await log.ReadAsync(topic, partition.Partition, offset, 1_000, 1 << 20,
                    CancellationToken.None);
                for (var i = 0; i < page.Count; i++)
                {
                    changes.Add(ChangeEnvelope.Parse(
                        RecordKey.FromUtf8(page.Key(i).Span), page.Value(i).ToArray()));
                }

                offset = page.Offset(page.Count - 1) + 1;
            }
        }

        return changes;
    }

    /// <summary>How many entries the log holds in all.</summary>
    public async Task<long> CountAsync() =>
        (await Host.Engine.Parts.Log.DescribeAsync(CancellationToken.None)).Sum(static p => p.NextOffset);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Host.StopAsync();
        await Host.DisposeAsync();
        if (_ownsFolder)
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}

/// <summary>What the server answered.</summary>
internal sealed record Answer(HttpStatusCode Status, string Text, TimeSpan? RetryAfter)
{
    public JsonElement Json => JsonElement.Parse(Text);

    public string Detail => Json.GetProperty("detail").GetString()!;

    public void ShouldBePublished(string table)
    {
        Status.ShouldBe(HttpStatusCode.OK, Text);
        Text.ShouldBe(
            $$"""{"status":"published","topic":"{{table}}","message":"Data sent to Kafka successfully"}""");
    }

    public void ShouldBeRefused(string detail, HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        Status.ShouldBe(status, Text);
        Detail.ShouldBe(detail);
        foreach (var member in new[] { "type", "title", "status", "code" })
        {
            Json.TryGetProperty(member, out _).ShouldBeTrue(member);
        }
    }
}
