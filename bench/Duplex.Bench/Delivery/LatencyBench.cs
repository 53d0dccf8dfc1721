using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Duplex.Bench.Delivery;

/// <summary>From the moment a commit returns in PostgreSQL to the moment the sink has read the request, at a steady
/// rate.</summary>
internal static class LatencyBench
{
    private const int Clients = 8;
    private const int WarmUpRows = 2000;

    public static async Task<Measurement> RunAsync(BenchOptions options)
    {
        string directory = Path.Combine(options.DataDirectory, "latency");
        await using var shop = await CustomerShop.OpenAsync();
        await using var bare = await BareForwarder.StartAsync(shop);
        var floor = await MeasureAsync(shop, 1, options);
        await bare.DisposeAsync();
        await shop.ExecuteAsync($"SELECT pg_drop_replication_slot('{BareForwarder.Name}')");
        await shop.ExecuteAsync("TRUNCATE customers");
        shop.Stripe.Reset();
        shop.Forget();

        await using var engine = await EngineProcess.StartAsync(directory, shop.Yaml(directory));
        double processor = engine.ProcessorSeconds();
        var (latencies, rate) = await MeasureAsync(shop, 10_000_000, options);
        processor = engine.ProcessorSeconds() - processor;
        double p50 = Statistics.Percentile(latencies, 0.5), p99 = Statistics.Percentile(latencies, 0.99);
        return new Measurement("Commit to request at the sink, median", "ms", p50,
            Statistics.Percentile(floor.Latencies, 0.5),
            "bare replication stream to HttpClient, nothing stored",
            "p50 at most 5 ms and p99 at most 25 ms at 1,000/s",
            p50 <= 5 && p99 <= 25, new Dictionary<string, double>
            {
                ["commits per second"] = rate,
                ["p90, ms"] = Statistics.Percentile(latencies, 0.9),
                ["p99, ms"] = p99,
                ["p99.9, ms"] = Statistics.Percentile(latencies, 0.999),
                ["floor p99, ms"] = Statistics.Percentile(floor.Latencies, 0.99),
                ["engine, µs of processor time per commit, warm-up included"] = processor * 1e6 / (WarmUpRows + latencies.Length),
                ["resident memory, MB"] = engine.Resident(),
                ["load of the machine, last minute"] = Machine.Load(),
            });
    }

    private static async Task<(double[] Latencies, double Rate)> MeasureAsync(CustomerShop shop, int first,
        BenchOptions options)
    {
        // The first rows wait for the snapshot, the compiler and the connections; they are not counted.
        await LoadAsync(shop, first, WarmUpRows, options.Rate);
        await shop.WaitForAsync(WarmUpRows, TimeSpan.FromMinutes(2));
        int rows = options.Rate * options.Seconds, start = first + WarmUpRows;
        long began = Stopwatch.GetTimestamp();
        var commits = await LoadAsync(shop, start, rows, options.Rate);
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await shop.WaitForAsync(WarmUpRows + rows, TimeSpan.FromMinutes(2));
        double[] latencies =
            [.. commits.Select(c => Stopwatch.GetElapsedTime(c.Value, shop.Arrivals[c.Key]).TotalMilliseconds)];
        return (latencies, rows / seconds);
    }

    /// <summary>Commits one row at a time, each at its moment, and notes when each commit returned.</summary>
    private static async Task<ConcurrentDictionary<string,
        long>> LoadAsync(CustomerShop shop, int first, int rows, int rate)
    {
        var commits = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        long began = Stopwatch.GetTimestamp();
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            await using var connection = await shop.Source.OpenConnectionAsync();
            await using var insert = new NpgsqlCommand(
                "INSERT INTO customers (id, email, name, plan) VALUES ($1, $2, $3, 'pro')", connection);
            insert.Parameters.Add(new NpgsqlParameter<long>());
            insert.Parameters.Add(new NpgsqlParameter<string>());
            insert.Parameters.Add(new NpgsqlParameter<string>());
            await insert.PrepareAsync();
            while (Interlocked.Increment(ref next) is var i && i < rows)
            {
                var wait = TimeSpan.FromSeconds((double)i / rate) - Stopwatch.GetElapsedTime(began);
                if (wait > TimeSpan.FromMilliseconds(1))
                    await Task.Delay(wait);
                string name = string.Create(CultureInfo.InvariantCulture, $"c{first + i}");
                ((NpgsqlParameter<long>)insert.Parameters[0]).TypedValue = first + i;
                ((NpgsqlParameter<string>)insert.Parameters[1]).TypedValue = name + "@example.com";
                ((NpgsqlParameter<string>)insert.Parameters[2]).TypedValue = name;
                await insert.ExecuteNonQueryAsync();
                commits[name] = Stopwatch.GetTimestamp();
            }
        })));
        return commits;
    }
}
