using System.Globalization;
using System.Text.Json.Nodes;
using Duplex.Sdk;
using Duplex.Simulators.Postgres;
using Npgsql;

namespace Duplex.Connectors.Postgres.Tests.Capture;

[Collection(PostgresCollection.Name)]
public sealed class SnapshotTests(PostgresServer server)
{
    private static readonly Dictionary<string, object> SmallChunks = new() { ["snapshot_chunk"] = "97" };

    private const string Rows = """
        CREATE SEQUENCE versions;
        CREATE TABLE t (a int, b text, v bigint NOT NULL DEFAULT nextval('versions'), big text, PRIMARY KEY (b, a));
        ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
        INSERT INTO t SELECT i % 7, 'k' || i, nextval('versions'), CASE WHEN i % 50 = 0 THEN repeat('z', 5000) || i END
        FROM generate_series(1, 3000) i;
        """;

    [SkippableTheory]
    [InlineData("DEFAULT", 1)]
    [InlineData("DEFAULT", 2)]
    [InlineData("FULL", 3)]
    public async Task A_snapshot_beside_writers_loses_nothing_and_puts_nothing_stale_over_younger(string identity,
        int seed)
    {
        await using var shop = await CaptureShop.OpenAsync(
            server, $"{Rows} ALTER TABLE t REPLICA IDENTITY {identity};", SmallChunks);
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 3).Select(i => WriteAsync(shop, (seed * 10) + i, stop.Token)).ToArray();
        var log = new CaptureLog();
        await using (var reading = log.Read(shop.Source("public.t")))
        {
            await reading.UntilAsync(static l =>
                l.Changes.Count(static c => c.Operation == ChangeOperation.Read) > 2000
                && l.Changes.Count(static c => c.Operation is ChangeOperation.Update or ChangeOperation.Create) > 50);
            await stop.CancelAsync();
            await Task.WhenAll(writers);
            await reading.CaughtUpAsync(shop);
        }

        await EqualsAsync(shop, log);
    }

    [SkippableTheory]
    [InlineData(11, false)]
    [InlineData(12, true)]
    public async Task A_snapshot_that_is_killed_again_and_again_resumes_where_it_was(int seed, bool confirms)
    {
        await using var shop = await CaptureShop.OpenAsync(server, Rows, SmallChunks);
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 2).Select(i => WriteAsync(shop, (seed * 10) + i, stop.Token)).ToArray();
        var log = new CaptureLog { Confirms = confirms };
        for (var kill = 1; kill <= 6; kill++)
        {
            var last = log.Batches + (kill * 2);
            log.Accepts = _ => log.Batches < last;
            await using var killed = log.Read(shop.Source("public.t"));
            (await killed.Ended).ShouldBeNull();
        }

        log.Accepts = static _ => true;
        await using (var reading = log.Read(shop.Source("public.t")))
        {
            await reading.UntilAsync(static l =>
                l.Changes.Count(static c => c.Operation == ChangeOperation.Read) > 2000);
            await stop.CancelAsync();
            await Task.WhenAll(writers);
            await reading.CaughtUpAsync(shop);
        }

        await EqualsAsync(shop, log);
    }

    [SkippableFact]
    public async Task A_finished_snapshot_is_not_read_again_and_a_stream_that_is_added_is_read_alone()
    {
        await using var shop = await CaptureShop.OpenAsync(server, """
            CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); CREATE TABLE b (id int PRIMARY KEY);
            INSERT INTO b SELECT generate_series(1, 500)
            """, SmallChunks);
        var log = new CaptureLog();
        await using (var first = log.Read(shop.Source("public.a")))
        {
            await first.CaughtUpAsync(shop);
        }

        // A transaction that wrote before the table was published, and commits after the snapshot could have begun.
        await using var early = await shop.ConnectAsync();
        await using var transaction = await early.BeginTransactionAsync();
        await new NpgsqlCommand("UPDATE b SET id = -1 WHERE id = 1", early).ExecuteNonQueryAsync();
        await using var second = log.Read(shop.Source("public.a", "public.b"));
        await Eventually.HoldsAsync(async () => (long)(await shop.RunAsync(
            "SELECT count(*) FROM pg_publication_tables WHERE tablename = 'b'"))! == 1);
        await transaction.CommitAsync();
        await second.CaughtUpAsync(shop);

        log.Changes.Count(static c => c.Stream == "public.a").ShouldBe(1);
        log.Fold("public.b").Keys.ShouldBe(
            Enumerable.Range(2, 499).Append(-1)
                .Select(static i => RecordKey.Of(i.ToString(CultureInfo.InvariantCulture)).Json)
                .Order(StringComparer.Ordinal));
    }

    [SkippableFact]
    public async Task A_truncate_between_the_marks_of_a_chunk_leaves_no_row_behind()
    {
        await using var shop =
            await CaptureShop.OpenAsync(server, Rows, new Dictionary<string, object> { ["snapshot_chunk"] = "5" });
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.t"));
        await reading.UntilAsync(static l => l.Changes.Count > 50);
        await shop.RunAsync("TRUNCATE t; INSERT INTO t VALUES (1, 'only', 1, NULL)");
        await reading.CaughtUpAsync(shop);
        log.Fold("public.t").Keys.ShouldBe(["[\"only\",\"1\"]"]);
    }

    [SkippableFact]
    public async Task Rows_that_exist_are_not_read_where_no_snapshot_is_wanted()
    {
        await using var shop = await CaptureShop.OpenAsync(
            server, Rows, new Dictionary<string, object> { ["snapshot"] = "never" });
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.t"));
        await reading.UntilAsync(static l => l.Position is not null);
        await shop.RunAsync("DELETE FROM t WHERE b = 'k1'");
        await reading.CaughtUpAsync(shop);
        log.Changes.Select(static c => c.Operation).ShouldBe([ChangeOperation.Delete]);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_is_not_read_while_a_transaction_that_the_log_told_is_not_yet_visible(bool restarts)
    {
        PostgresServer.SkipWithoutPostgres();
        await using var own = await PrivatePostgres.StartAsync(new PrivatePostgresOptions
        {
            // Commits that wait for a standby stand in the log, and nobody sees them.
            Settings = new Dictionary<string, string>
            {
                ["synchronous_standby_names"] = "nobody",
                ["synchronous_commit"] = "local",
            },
        });
        await using var shop = await CaptureShop.OpenAsync(
            own, "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, 1 FROM generate_series(1, 40) i",
            new Dictionary<string, object> { ["snapshot_chunk"] = "1" });
        var log = new CaptureLog();
        using var gate = new ManualResetEventSlim(initialState: false);
        log.Accepts = b => b.Count == 0 || b.Key(0).SequenceEqual("[\"1\"]"u8) || Wait(gate);
        var reading = log.Read(shop.Source("public.t"));
        await reading.UntilAsync(static l => l.Changes.Count > 0);

        await using var slow = await shop.ConnectAsync();
        await new NpgsqlCommand("SET synchronous_commit = on", slow).ExecuteNonQueryAsync();
        var commit = new NpgsqlCommand("UPDATE t SET v = 2 WHERE id = 40", slow).ExecuteNonQueryAsync();
        await Eventually.HoldsAsync(async () => (bool)(await shop.RunAsync(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')"))!);
        gate.Set();
        await reading.UntilAsync(static l => l.Changes.Any(static c => c.Operation == ChangeOperation.Update));

        if (restarts)
        {
            await reading.DisposeAsync();
            reading = log.Read(shop.Source("public.t"));
        }

        // Long enough for every chunk to be tried: each attempt writes two marks into the log.
        var from = (string)(await shop.RunAsync("SELECT pg_current_wal_insert_lsn()::text"))!;
        await Eventually.HoldsAsync(async () =>
            log.Changes.Any(static c => c.Key.ToString() == "40" && c.After!.ToString().Contains("\"v\":1"))
            || (decimal)(await shop.RunAsync(
                $"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{from}')"))! > (restarts ? 1_000 : 40_000));
        await shop.RunAsync("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        await commit;
        await reading.CaughtUpAsync(shop);

        await reading.DisposeAsync();
        log.Fold("public.t")["[\"40\"]"].ShouldBe("""{"id":40,"v":2}""");
        log.Fold("public.t").Count.ShouldBe(40);
    }

    private static bool Wait(ManualResetEventSlim gate)
    {
        gate.Wait();
        return true;
    }

    private static async Task EqualsAsync(CaptureShop shop, CaptureLog log)
    {
        var expected = await shop.ListAsync("""
            SELECT jsonb_build_array(b, a::text)::text || ' ' || json_build_object('a', a, 'b', b, 'big', big, 'v', v)::text FROM t
            """);
        var folded = log.Fold("public.t").Select(static r => $"{Compact(r.Key)} {r.Value}");
        var rows = expected.Select(static r =>
            $"{Compact(r[..(r.IndexOf(']') + 1)])} {Compact(r[(r.IndexOf(']') + 2)..])}").ToHashSet();
        var records = folded.ToHashSet();
        rows.Except(records).Take(3).ShouldBeEmpty("rows that are missing or stale in the log");
        records.Except(rows).Take(3).ShouldBeEmpty("records that are not in the table");

        var seen = new Dictionary<string, long>();
        foreach (var change in log.Changes.Where(static c => c.After is not null))
        {
            var version = change.After!.Root.GetProperty("v").GetInt64();
            version.ShouldBeGreaterThanOrEqualTo(seen.GetValueOrDefault(change.Key.Json),
                $"{change.Operation} {change.Key}");
            seen[change.Key.Json] = version;
        }
    }

    private static string Compact(string json) => JsonNode.Parse(json)!.ToJsonString();

    /// <summary>Inserts, updates, moves and deletes rows until it is stopped; every write takes a new
    /// version.</summary>
    private static async Task WriteAsync(CaptureShop shop, int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        await using var connection = await shop.ConnectAsync();
        while (!stop.IsCancellationRequested)
        {
            var row = random.Next(1, 3000);
            var sql = random.Next(6) switch
            {
                0 => $"INSERT INTO t VALUES ({seed}, 'n{random.Next(100000)}', nextval('versions'), repeat('q', 5000)) ON CONFLICT DO NOTHING",
                1 => $"DELETE FROM t WHERE b = 'k{row}'",
                2 => $"UPDATE t SET v = nextval('versions'), a = a + 100 WHERE b = 'k{row - (row % 50)}'",
                3 => $"UPDATE t SET v = nextval('versions'), big = repeat('w', 4000) WHERE b = 'k{row}'",
                4 => $"UPDATE t SET v = nextval('versions'), b = b || 'x' WHERE b = 'k{row - (row % 50)}'",
                _ => $"UPDATE t SET v = nextval('versions') WHERE b IN ('k{row}', 'k{row - (row % 50)}')",
            };
            try
            {
                await using var command = new NpgsqlCommand(sql, connection);
                await command.ExecuteNonQueryAsync(CancellationToken.None);
            }
            catch (PostgresException e)
                when (e.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected)
            {
                // Two writers met on a row; neither matters to what is captured.
            }
        }
    }
}
