using System.Diagnostics;
using System.Globalization;
using System.Text;
using Duplex.Engine.Log;
using Duplex.Kafka;
using Duplex.Sdk;
using Duplex.Simulators.Kafka;
using Duplex.Storage.Embedded;

namespace Duplex.Bench.Logs;

/// <summary>
/// The change log on Kafka, beside the embedded one, in the same rounds: large batches as a capture appends them, single
/// changes of many callers as posts are, and reading all of it back. The broker has Kafka's defaults: what it acknowledges is
/// in its memory, while the embedded log's is on the disk.
/// </summary>
internal static class LogBench
{
    private const string Topic = "bench";
    private const int Partitions = 4;
    private const int BatchRecords = 1_000;
    private const int Callers = 128;
    private const int KeysMax = 10_000;

    public static async Task<IReadOnlyList<Measurement>> RunAsync(BenchOptions options)
    {
        if (PrivateKafka.Unavailable is { } reason)
        {
            Console.Error.WriteLine($"log: left out, {reason}");
            return [];
        }

        await using var broker = await PrivateKafka.CreateAsync(Path.Combine(options.DataDirectory, "kafka"));
        List<Rates> kafka = [], embedded = [];
        // The first round is for the compiler, on both sides.
        for (int round = 0; round <= options.Rounds; round++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"log{round}");
            await using (var log = await EmbeddedChangeLog.OpenAsync(
                Path.Combine(options.DataDirectory, name), new EmbeddedOptions()))
                embedded.Add(await MeasureAsync(log, options.Rows));
            await using (var log = await KafkaChangeLog.OpenAsync(
                new KafkaLogOptions { Bootstrap = broker.Bootstrap, Prefix = name }, CancellationToken.None))
                kafka.Add(await MeasureAsync(log, options.Rows));
        }

        return
        [
            Compare("log on Kafka, batches of 1,000 changes", kafka, embedded, static r => r.Batches),
            Compare("log on Kafka, single changes of 128 callers", kafka, embedded, static r => r.Singles),
            Compare("log on Kafka, read back", kafka, embedded, static r => r.Read),
        ];
    }

    private static Measurement Compare(
        string name, List<Rates> kafka, List<Rates> embedded, Func<Rates, double> rateOf)
    {
        double rate = Statistics.Median(kafka.Skip(1).Select(rateOf));
        double floor = Statistics.Median(embedded.Skip(1).Select(rateOf));
        return new Measurement(name, "rec/s", rate, floor, "the embedded log", "at least a quarter of the embedded log's rate",
            rate >= floor / 4, new Dictionary<string, double>
            {
                ["best round, rec/s"] = kafka.Skip(1).Max(rateOf),
                ["best round of the embedded log, rec/s"] = embedded.Skip(1).Max(rateOf),
                ["load of the machine"] = Machine.Load(),
            });
    }

    private static async Task<Rates> MeasureAsync(IChangeLog log, int records)
    {
        await log.EnsureTopicAsync(
            new TopicSpec(Topic, Partitions, TimeSpan.FromDays(1), long.MaxValue), CancellationToken.None);
        double batches = await BatchesAsync(log, records);
        double singles = await SinglesAsync(log, Math.Max(1, records / 10));
        return new Rates(batches, singles, await ReadAsync(log));
    }

    private static async Task<double> BatchesAsync(IChangeLog log, int records)
    {
        using var batch = new ChangeBatch();
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < records;)
        {
            batch.Clear();
            for (int n = 0; n < BatchRecords && i < records; n++, i++)
                Add(batch, i);
            batch.Position = new Position(1, (ulong)i, 0);
            await log.AppendAsync("capture", batch, static _ => Topic, CancellationToken.None);
        }

        return records / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static async Task<double> SinglesAsync(IChangeLog log, int records)
    {
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            using var batch = new ChangeBatch();
            for (int i = caller; i < records; i += Callers)
            {
                batch.Clear();
                Add(batch, i);
                await log.AppendAsync("posts", batch, static _ => Topic, CancellationToken.None);
            }
        })));
        return records / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static async Task<double> ReadAsync(IChangeLog log)
    {
        long began = Stopwatch.GetTimestamp();
        long entries = 0;
        foreach (var partition in await log.DescribeAsync(CancellationToken.None))
        {
            for (long offset = 0; offset < partition.NextOffset;)
            {
                using var page = await log.ReadAsync(
                    Topic, partition.Partition, offset, 4096, 4 << 20, CancellationToken.None);
                if (page.Count == 0)
                    throw new InvalidOperationException("The log lost entries.");
                entries += page.Count;
                offset = page.Offset(page.Count - 1) + 1;
            }
        }

        return entries / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static void Add(ChangeBatch batch, int i) => ChangeEnvelope.Add(batch, new Change
    {
        Operation = ChangeOperation.Update,
        Stream = Topic,
        Key = RecordKey.Of((i % KeysMax).ToString(CultureInfo.InvariantCulture)),
        After = new Record(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""
            {"id":{{i}},"name":"Ada Lovelace {{i}}","email":"ada{{i}}@example.org","phone":"+49 30 {{i}}","city":"Berlin",
             "country":"DE","balance":{{i % 1000}}.25,"active":true,"created_at":"2026-01-31T10:00:00Z","status":"live"}
            """))),
        SourceMicros = 1_767_225_600_000_000 + i,
    }, "bench", "bench");

    /// <summary>Records a second.</summary>
    private sealed record Rates(double Batches, double Singles, double Read);
}
