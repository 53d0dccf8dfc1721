using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Feeds;
using Duplex.Engine.Log;
using Duplex.Engine.Schemas;
using Duplex.Sdk;
using Duplex.Storage.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.Bench.Feeds;

/// <summary>A log full of changes into a customer's feed: rules, mapping and schema, beside an append of the same bytes alone.</summary>
internal static class FeedBench
{
    public const string Topic = "users";
    private const int Partitions = 3;
    private const int BatchMax = 4096;

    private const string Mapping = """
        when: "status != 'draft'"
        rules:
          - { a: id, b: userId }
          - { a: name, b: fullName, via: { default: { b: "" } } }
          - { a: email, b: contact.email, via: lowercase }
          - { a: phone, b: contact.phone, via: absent_as_null }
          - { a: city, b: city, via: trim }
          - { a: country, b: country, via: { enum: { DE: Germany, FR: France } } }
          - { a: balance, b: balance }
          - { a: active, b: isActive }
          - { a: created_at, b: createdAt }
          - { b: consumer, via: { constant: bench } }
        """;

    public static async Task<Measurement> RunAsync(BenchOptions options)
    {
        int records = options.Rows;
        List<double> rates = [], floors = [], micros = [], bytes = [];
        for (int round = 0; round < options.Rounds; round++)
        {
            string directory = Path.Combine(options.DataDirectory, string.Create(CultureInfo.InvariantCulture, $"feed{round}"));
            Directory.CreateDirectory(directory);
            var (seconds, processor, allocated) = await CarryAsync(directory, records);
            rates.Add(records / seconds);
            micros.Add(processor.TotalMicroseconds / records);
            bytes.Add((double)allocated / records);
            floors.Add(records / await FloorAsync(Path.Combine(directory, "floor"), records));
            Directory.Delete(directory, recursive: true);
        }

        double rate = Statistics.Median(rates), floor = Statistics.Median(floors);
        return new Measurement("log to feed, mapped and validated", "rec/s", rate, floor, "append of the same bytes alone",
            "100,000 a second, 10-field records", rate >= 100_000, new Dictionary<string, double>
            {
                ["best round, rec/s"] = rates.Max(),
                ["processor time per record, µs"] = Statistics.Median(micros),
                ["allocated per record, bytes"] = Statistics.Median(bytes),
                ["load of the machine"] = Machine.Load(),
            });
    }

    private static async Task<(double Seconds, TimeSpan Processor, long Allocated)> CarryAsync(string directory, int records)
    {
        await using var log = await EmbeddedChangeLog.OpenAsync(directory, new EmbeddedOptions());
        await using var store = await EmbeddedStateStore.OpenAsync(directory, new EmbeddedOptions());
        await using var feeds = await EmbeddedFeedStore.OpenAsync(directory, new EmbeddedOptions());
        await FillAsync(log, records);
        var model = new EngineModel
        {
            DataDirectory = directory,
            Connections = new Dictionary<string, ConnectionModel>(),
            Syncs = new Dictionary<string, SyncModel>(),
            Customers = new Dictionary<string, CustomerModel> { ["bench"] = Customer() },
        };
        await using var engine = new SyncEngine(new EngineParts(
            model, log, store, new RateBudget(TimeProvider.System), TimeProvider.System, NullLoggerFactory.Instance) { Feeds = feeds });
        long began = Stopwatch.GetTimestamp(), allocated = GC.GetTotalAllocatedBytes();
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        await engine.StartAsync(CancellationToken.None);
        await feeds.WaitAsync("bench", records - 1, CancellationToken.None);
        var result = (Stopwatch.GetElapsedTime(began).TotalSeconds,
            Process.GetCurrentProcess().TotalProcessorTime - processor, GC.GetTotalAllocatedBytes() - allocated);
        await engine.StopAsync(CancellationToken.None);
        return result;
    }

    private static async Task FillAsync(IChangeLog log, int records)
    {
        await log.EnsureTopicAsync(new TopicSpec(Topic, Partitions, TimeSpan.FromDays(1), long.MaxValue), CancellationToken.None);
        using var batch = new ChangeBatch();
        for (int i = 0; i < records;)
        {
            batch.Clear();
            for (int n = 0; n < BatchMax && i < records; n++, i++)
                ChangeEnvelope.Add(batch, Change(i), "ingest", "sync");
            await log.AppendAsync("bench", batch, static stream => stream, CancellationToken.None);
        }
    }

    /// <summary>A change of a row of ten fields.</summary>
    public static Change Change(int i) => new()
    {
        Operation = ChangeOperation.Update,
        Stream = Topic,
        Key = RecordKey.Of((i % 100_000).ToString(CultureInfo.InvariantCulture)),
        After = new Record(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""
            {"id":{{i}},"name":"Ada Lovelace {{i}}","email":"Ada{{i}}@Example.org","phone":"+49 30 {{i}}","city":" Berlin ",
             "country":"DE","balance":{{i % 1000}}.25,"active":true,"created_at":"2026-01-31T10:00:00Z","status":"live"}
            """))),
        SourceMicros = 1_767_225_600_000_000 + i,
    };

    /// <summary>Gets the rows by ten rules and a schema.</summary>
    public static CustomerModel Customer()
    {
        var (document, findings) = MappingDocument.Read(Mapping, "users.yaml", Topic);
        return document is null ? throw new InvalidOperationException(string.Join(' ', findings)) : new CustomerModel
        {
            Name = "bench",
            Tenant = "default",
            Start = new FeedStart(FeedStartKind.Earliest),
            Feed = new FeedSpec("bench", TimeSpan.FromDays(1), long.MaxValue),
            Path = "/customers/bench",
            Tables = new Dictionary<string, TableModel> { [Topic] = new(Topic, document, Schema()) },
        };
    }

    private static OutputSchema Schema() => OutputSchema.Compile("""
            {"type":"object","additionalProperties":false,"required":["userId","fullName","contact","isActive","consumer"],"properties":{
              "userId":{"type":"integer"},"fullName":{"type":"string"},"city":{"type":"string"},
              "contact":{"type":"object","properties":{"email":{"type":"string"},"phone":{"type":["string","null"]}}},
              "country":{"enum":["Germany","France"]},"balance":{"type":"number","minimum":0},"isActive":{"type":"boolean"},
              "createdAt":{"type":"string","format":"date-time"},"consumer":{"const":"bench"}}}
            """).Schema!;

    private static async Task<double> FloorAsync(string directory, int records)
    {
        Directory.CreateDirectory(directory);
        await using var feeds = await EmbeddedFeedStore.OpenAsync(directory, new EmbeddedOptions());
        long epoch = await feeds.AcquireAsync(new FeedSpec("floor", TimeSpan.FromDays(1), long.MaxValue), CancellationToken.None);
        byte[] key = "[\"12345\"]"u8.ToArray();
        byte[] data = """
            {"userId":12345,"fullName":"Ada Lovelace 12345","contact":{"email":"ada12345@example.org","phone":"+49 30 12345"},
             "city":"Berlin","country":"Germany","balance":345.25,"isActive":true,"createdAt":"2026-01-31T10:00:00Z","consumer":"bench"}
            """u8.ToArray();
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Partitions).Select(AppendAsync));
        return Stopwatch.GetElapsedTime(began).TotalSeconds;

        async Task AppendAsync(int partition)
        {
            List<FeedItem> items = [];
            for (int i = partition; i < records; i += Partitions)
            {
                items.Add(new FeedItem(i, Topic, key, ChangeOperation.Update, null, null, 1_767_225_600_000_000, data));
                if (items.Count == BatchMax || i + Partitions >= records)
                {
                    await feeds.AppendAsync("floor", epoch, string.Create(CultureInfo.InvariantCulture, $"users/{partition}"), items, CancellationToken.None);
                    items.Clear();
                }
            }
        }
    }
}
