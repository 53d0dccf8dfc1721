using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Duplex.Simulators.Kafka;

namespace Duplex.EndToEnd.Tests;

/// <summary>Feeds that a real server pushes to topics of a real broker.</summary>
[Collection(KafkaCollection.Name)]
public sealed class KafkaPushTests(SharedKafka kafka)
{
    private readonly string _topic = SharedKafka.Prefix() + "-feed";

    [SkippableFact]
    public async Task Every_record_of_the_feed_is_in_the_topic_and_each_records_in_order_however_often_the_server_is_killed()
    {
        SharedKafka.Require();
        await using var load = new PostLoad(
            kafka.Section(SharedKafka.Prefix()), $", push: {{ topic: {_topic}, partitions: 2 }}");
        await load.RunAsync(PostLoad.Kills, _ => load.KillServerAsync());
        await load.CheckAsync();
        using var http = Client(load.Server.ControlPort);
        await UntilAsync(async () => await PositionAsync(http, "customer-b") == PostLoad.Records, load.Server);

        var records = await ReadAsync();
        var firsts = records.DistinctBy(static r => r.Offset).ToList();
        firsts.Select(static r => r.Offset).Order().ShouldBe(Enumerable.Range(1, PostLoad.Records).Select(static n => (long)n));
        foreach (var key in firsts.GroupBy(static r => r.Key))
        {
            key.Select(static r => r.Version).ShouldBe(key.Select(static r => r.Version).Order(), key.Key);
        }
    }

    [SkippableFact]
    public async Task The_api_pushes_to_topics_and_holds_a_tenants_key_to_its_own()
    {
        SharedKafka.Require();
        var folder = Directory.CreateTempSubdirectory("duplex-push-").FullName;
        try
        {
            var schemas = Directory.CreateDirectory(Path.Combine(folder, "schemas", "internal"));
            await File.WriteAllTextAsync(Path.Combine(schemas.FullName, "users.json"), """{"type":"object"}""");
            var prefix = SharedKafka.Prefix();
            await using var server = new ServerProcess(folder, section => $$"""
                data: ./data
                {{kafka.Section(prefix)}}
                {{section.Replace(" }", """
                , api_keys: [ { name: ops, key: "ops-key-0123456789", role: operator },
                  { name: own, key: "own-key-0123456789", role: operator, tenant: globex } ] }
                """, StringComparison.Ordinal)}}
                ingest: { schemas: ./schemas }
                """);
            server.Start();
            using var http = Client(server.ControlPort);
            await UntilAsync(async () => await PutAsync(http, "ops", "elsewhere") == HttpStatusCode.OK, server);
            (await PutAsync(http, "ops", $"{prefix}.users")).ShouldBe(HttpStatusCode.BadRequest, "the log's");
            (await PutAsync(http, "own", _topic)).ShouldBe(HttpStatusCode.Forbidden);
            (await PutAsync(http, "own", $"globex.{_topic}")).ShouldBe(HttpStatusCode.OK);
            (await PutAsync(http, "ops", _topic)).ShouldBe(HttpStatusCode.OK);
            using var mapping = await SendAsync(http, "ops", HttpMethod.Put, "/v1/customers/ops/mappings/users?activate=true",
                """{"rules":[{"a":"id","b":"id"},{"a":"name","b":"fullName"}]}""");
            mapping.StatusCode.ShouldBe(HttpStatusCode.OK);
            using var data = Client(server.DataPort);
            await UntilAsync(async () => await PostAsync(data) == HttpStatusCode.OK, server);
            await UntilAsync(async () => await PositionAsync(http, "ops") == 1, server);
            (await ReadAsync()).ShouldHaveSingleItem().ShouldBe(new Pushed(1, """["1"]""", 1));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Posts the one change, under its id: what a broker did not take in time is sent again.</summary>
    private static async Task<HttpStatusCode> PostAsync(HttpClient data)
    {
        using var posted = await SendAsync(data, "ops", HttpMethod.Post, "/sync",
            """{"event_type":"INSERT","event_id":"one","table":"users","primary_key":{"id":1},"after":{"id":1,"name":"1"}}""");
        posted.StatusCode.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable);
        return posted.StatusCode;
    }

    private static Task<HttpStatusCode> PutAsync(HttpClient http, string name, string topic) =>
        StatusAsync(http, name, $"/v1/customers/{name}", $$$"""{"tables":["users"],"start":"earliest","push":{"topic":"{{{topic}}}"}}""");

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, string name, string path, string body)
    {
        try
        {
            using var answer = await SendAsync(http, name, HttpMethod.Put, path, body);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return HttpStatusCode.ServiceUnavailable;
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, string name, HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new("Bearer", $"{name}-key-0123456789");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        return await http.SendAsync(request);
    }

    private static async Task<long> PositionAsync(HttpClient http, string customer)
    {
        using var answer = await SendAsync(http, "ops", HttpMethod.Get, $"/v1/customers/{customer}", null);
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("progress").GetProperty("push")
            .GetProperty("position").GetInt64();
    }

    private static HttpClient Client(int port) => new()
    {
        BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")),
    };

    private static async Task UntilAsync(Func<Task<bool>> condition, ServerProcess server)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await condition())
        {
            deadline.IsCancellationRequested.ShouldBeFalse(server.Said);
            await tick.WaitForNextTickAsync();
        }
    }

    /// <summary>Everything that the topic holds, by Kafka's own program.</summary>
    private async Task<List<Pushed>> ReadAsync()
    {
        var ends = await PrivateKafka.RunAsync(
            "kafka-run-class.sh", "org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", kafka.Broker.Bootstrap, "--topic", _topic);
        var count = ends.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Sum(static l => long.Parse(l.Split(':')[2], CultureInfo.InvariantCulture));
        var lines = await PrivateKafka.RunAsync("kafka-console-consumer.sh", "--bootstrap-server", kafka.Broker.Bootstrap,
            "--topic", _topic, "--from-beginning", "--max-messages", count.ToString(CultureInfo.InvariantCulture),
            "--timeout-ms", "180000", "--property", "print.key=true");
        return [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static l => l.StartsWith('[')).Select(static line =>
        {
            var parts = line.Split('\t');
            var data = JsonElement.Parse(parts[1]).GetProperty("data");
            return new Pushed(data.GetProperty("offset").GetInt64(), parts[0], int.Parse(
                data.GetProperty("transformedData").GetProperty("fullName").GetString()!, CultureInfo.InvariantCulture));
        })];
    }

    private sealed record Pushed(long Offset, string Key, int Version);
}
