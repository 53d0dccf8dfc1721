using System.Diagnostics;
using System.Globalization;
using Duplex.Connectors.Postgres;
using Duplex.Engine.Log;
using Duplex.Sdk;
using Duplex.Simulators.Postgres;
using Duplex.Storage.Embedded;
using Duplex.Storage.Embedded.Log;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Duplex.Bench.Capture;

/// <summary>PostgreSQL's write-ahead log into the durable change log, beside <c>pg_recvlogical</c> into a
/// file.</summary>
internal static class CaptureBench
{
    private const string Topic = "bench";

    public static async Task<Measurement> RunAsync(BenchOptions options)
    {
        string directory = Path.Combine(options.DataDirectory, "capture");
        Directory.CreateDirectory(directory);
        await using var server = await PrivatePostgres.StartAsync(new PrivatePostgresOptions
        {
            Durable = true,
            Settings = new Dictionary<string, string> { ["max_wal_size"] = "8GB", ["shared_buffers"] = "256MB" },
        });
        string connectionString = await server.CreateDatabaseAsync("bench");
        await using var source = NpgsqlDataSource.Create(connectionString);
        await CaptureTable.CreateAsync(source);
        var log = await EmbeddedChangeLog.OpenAsync(Path.Combine(directory, "data"), new EmbeddedOptions());
        await using var _ = log;
        await log.EnsureTopicAsync(new TopicSpec(Topic, 4, TimeSpan.FromDays(1), long.MaxValue),
            CancellationToken.None);

        for (int round = 0; round < options.Rounds; round++)
        {
            await PgRecvlogical.MakeSlotAsync(source, Slot("floor", round));
            await ReadAsync(server, log, round, until: static (_, streaming, position) => streaming && position);
        }

        Console.Error.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"capture: writing {options.Rows:N0} rows"));
        string end = await CaptureTable.FillAsync(source, options.Rows);
        List<double> rates = [], floors = [], micros = [], commits = [];
        int rows = Math.Max(1, options.Rows / 1000) * 1000;
        for (int round = 0; round < options.Rounds; round++)
        {
            await CaptureTable.NudgeAsync(source);
            string file = Path.Combine(directory, "floor.bin");
            floors.Add(rows / await PgRecvlogical.ReceiveAsync(server, "bench", Slot("floor", round), end, file));
            File.Delete(file);
            var processor = Process.GetCurrentProcess().TotalProcessorTime;
            var (seconds, batches) = await ReadAsync(server, log, round, until: (count, _, _) => count >= rows);
            rates.Add(rows / seconds);
            micros.Add((Process.GetCurrentProcess().TotalProcessorTime - processor).TotalMicroseconds / rows);
            commits.Add(batches / seconds);
        }

        double rate = Statistics.Median(rates), floor = Statistics.Median(floors);
        return new Measurement("PostgreSQL log to durable change log", "rows/s", rate, floor,
            "pg_recvlogical to a file",
            "at least half of pg_recvlogical, 10-column rows", rate >= 0.5 * floor, new Dictionary<string, double>
            {
                ["best round, rows/s"] = rates.Max(),
                ["best round of the floor, rows/s"] = floors.Max(),
                ["this process's processor time per row, µs"] = Statistics.Median(micros),
                ["commits per second"] = Statistics.Median(commits),
            });
    }

    /// <summary>Runs one connection's source into the log, as the engine does, until the condition holds.</summary>
    /// <returns>The seconds from the start until the last batch was durable, and the number of batches.</returns>
    private static async Task<(double Seconds, int Batches)> ReadAsync(
        PrivatePostgres server, IChangeLog log, int round, Func<long, bool, bool, bool> until)
    {
        string name = Slot("duplex", round);
        await using var reader = new PostgresConnector().OpenSource(Context(server, name), [CaptureTable.Name]);
        var from = await log.ReadPositionAsync(name, CancellationToken.None);
        using var stop = new CancellationTokenSource();
        int batches = 0;
        long rows = 0, began = Stopwatch.GetTimestamp();
        try
        {
            await foreach (var batch in reader.ReadAsync(from, stop.Token))
            {
                using (batch)
                {
                    await log.AppendAsync(name, batch, static _ => Topic, CancellationToken.None);
                    if (batch.Position is { } position)
                        await reader.ConfirmAsync(position, CancellationToken.None);
                    rows += batch.Count;
                    batches++;
                    if (until(rows, reader.State.Phase == SourcePhase.Streaming, batch.Position is not null))
                        break;
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
        }

        return (Stopwatch.GetElapsedTime(began).TotalSeconds, batches);
    }

    private static string Slot(string whose, int round) =>
        string.Create(CultureInfo.InvariantCulture, $"bench_{whose}_{round}");

    private static ConnectorContext Context(PrivatePostgres server, string name)
    {
        List<Finding> findings = [];
        var settings = ConnectionSettings.Read(new PostgresConnector().Spec, new Dictionary<string, object>
        {
            ["host"] = "127.0.0.1",
            ["port"] = server.Port.ToString(CultureInfo.InvariantCulture),
            ["database"] = "bench",
            ["username"] = server.Username,
            ["password"] = server.Password,
            ["slot"] = name,
            ["publication"] = CaptureTable.Publication,
            ["heartbeat"] = "200ms",
        }, "/connections/bench", findings);
        if (findings.Count > 0)
            throw new InvalidOperationException(string.Join(" ", findings.Select(f => f.Message)));
        return new ConnectorContext
        {
            Tenant = "bench",
            Connection = name,
            Installation = "bench234",
            Settings = settings,
            Budget = NoBudget.Instance,
            Loggers = NullLoggerFactory.Instance,
        };
    }

    private sealed class NoBudget : IRateBudget
    {
        public static readonly NoBudget Instance = new();

        public ValueTask AcquireAsync(string scope, double perSecond, int burst, CancellationToken cancellationToken) =>
            ValueTask.CompletedTask;

        public void HoldBack(string scope, TimeSpan duration)
        {
        }
    }
}
