using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Duplex.EndToEnd.Tests;

/// <summary>
/// Posts by many clients while the server is killed again and again. Whoever was answered 200 finds the record in every customer's
/// feed; whoever was not posts again under the same id. More with <c>DUPLEX_POST_RECORDS</c> and <c>DUPLEX_POST_KILLS</c>.
/// </summary>
public sealed class PostKillTests
{
    private const int Clients = 8;
    private const int Keys = 97;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task What_was_answered_is_in_every_feed_once_and_in_order()
    {
        var records = Number("DUPLEX_POST_RECORDS", 4000);
        var kills = Number("DUPLEX_POST_KILLS", 4);
        var folder = Directory.CreateTempSubdirectory("duplex-post-").FullName;
        try
        {
            Write(folder);
            await using var server = new ServerProcess(folder, static section => $$"""
                data: ./data
                {{section}}
                ingest: { schemas: ./schemas }
                customers:
                  customer-a: { tables: [ users ], start: earliest }
                  customer-b: { tables: [ users ], start: earliest }
                """);
            server.Start();
            using var http = new HttpClient
            {
                BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{server.DataPort}")),
                Timeout = TimeSpan.FromSeconds(20),
            };
            using var stop = new CancellationTokenSource(Patience);
            var answered = 0;
            var retried = 0;
            var clients = Enumerable.Range(0, Clients).Select(c => PostAllAsync(http, c, records, () =>
            {
                Interlocked.Increment(ref answered);
            }, () => Interlocked.Increment(ref retried), stop.Token)).ToList();
            for (var kill = 1; kill <= kills; kill++)
            {
                var enough = records * kill / (kills + 1);
                await UntilAsync(() => Volatile.Read(ref answered) >= enough || clients.TrueForAll(static c => c.IsCompleted), stop.Token);
                await server.KillAsync();
                server.Start();
            }

            await Task.WhenAll(clients);
            retried.ShouldBeGreaterThan(0, "no post met a kill");
            server.Kills.ShouldBe(kills);
            foreach (var customer in new[] { "customer-a", "customer-b" })
            {
                Check(await ReadAsync(http, customer, records, stop.Token), records, customer);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Each client has keys of its own and posts the versions of each in order.</summary>
    private static async Task PostAllAsync(
        HttpClient http, int client, int records, Action answered, Action retried, CancellationToken stop)
    {
        for (var n = client; n < records; n += Clients)
        {
            var id = (n % Clients * 1000) + (n / Clients % Keys);
            var body = string.Create(CultureInfo.InvariantCulture, $$$"""
                {"event_type":"UPDATE","event_id":"e{{{n}}}","table":"users","primary_key":{"id":{{{id}}}},
                 "before":{},"after":{"id":{{{id}}},"name":"{{{n:D9}}}"}}
                """);
            while (!await TryAsync(http, body, stop))
            {
                retried();
            }

            answered();
        }
    }

    private static async Task<bool> TryAsync(HttpClient http, string body, CancellationToken stop)
    {
        try
        {
            using var answer = await http.PostAsync("/sync", new StringContent(body, Encoding.UTF8, "application/json"), stop);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                ((int)answer.StatusCode).ShouldBeGreaterThanOrEqualTo(429, await answer.Content.ReadAsStringAsync(stop));
            }

            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            await tick.WaitForNextTickAsync(stop);
            return false;
        }
    }

    private static async Task<List<JsonElement>> ReadAsync(HttpClient http, string customer, int records, CancellationToken stop)
    {
        var feed = new List<JsonElement>();
        while (feed.Count < records)
        {
            var page = JsonElement.Parse(await http.GetStringAsync(new Uri(string.Create(
                CultureInfo.InvariantCulture, $"/feed/{customer}?offset={feed.Count}&limit=1000&wait=5"), UriKind.Relative), stop));
            feed.AddRange(page.GetProperty("records").EnumerateArray());
        }

        return feed;
    }

    private static void Check(List<JsonElement> feed, int records, string customer)
    {
        feed.Select(static r => r.GetProperty("offset").GetInt64())
            .ShouldBe(Enumerable.Range(1, records).Select(static i => (long)i), $"{customer}: offsets without a gap");
        var data = feed.ConvertAll(static r => r.GetProperty("transformedData"));
        data.Select(static d => d.GetProperty("fullName").GetString()).Distinct().Count().ShouldBe(records, $"{customer}: each once");
        foreach (var record in data.GroupBy(static d => d.GetProperty("id").GetInt32()))
        {
            var versions = record.Select(static d => d.GetProperty("fullName").GetString()).ToList();
            versions.ShouldBe([.. versions.Order(StringComparer.Ordinal)], $"{customer}: the order of record {record.Key}");
        }
    }

    private static void Write(string folder)
    {
        void Put(string path, string text)
        {
            var file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        Put("schemas/internal/users.json", """
            {"type":"object","required":["event_type","table","primary_key"],
             "properties":{"after":{"type":"object","properties":{"id":{"type":"integer"}}}}}
            """);
        Put("schemas/external/customer-a/users.json", """
            {"type":"object","required":["id","fullName"],"additionalProperties":false,
             "properties":{"id":{"type":"integer"},"fullName":{"type":"string"}}}
            """);
        Put("mappings/global/users.yaml", "rules: [ { a: id, b: id }, { a: name, b: fullName } ]");
    }

    private static async Task UntilAsync(Func<bool> condition, CancellationToken stop)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!condition())
        {
            await tick.WaitForNextTickAsync(stop);
        }
    }

    private static int Number(string name, int fallback) => int.TryParse(
        Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : fallback;
}
