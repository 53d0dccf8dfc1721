using Duplex.Sdk;
using Duplex.Simulators.Postgres;

namespace Duplex.Connectors.Postgres.Tests.Capture;

[Collection(PostgresCollection.Name)]
public sealed class GapTests(PostgresServer server)
{
    private const string Table = "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 1)";

    public static TheoryData<string, string> Losses => new()
    {
        { "slot dropped", "SELECT pg_drop_replication_slot('{slot}')" },
        {
            "slot made again",
            "SELECT pg_drop_replication_slot('{slot}'); SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')"
        },
        {
            "slot made again with another plugin",
            "SELECT pg_drop_replication_slot('{slot}'); SELECT pg_create_logical_replication_slot('{slot}', 'test_decoding')"
        },
        { "slot moved", "SELECT pg_replication_slot_advance('{slot}', pg_current_wal_lsn())" },
        { "publication dropped", "DROP PUBLICATION {slot}" },
        { "table unpublished", "ALTER PUBLICATION {slot} DROP TABLE t" },
        { "table made again",
            "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (2, 2), (3, 3)" },
    };

    [SkippableTheory]
    [MemberData(nameof(Losses))]
    public async Task A_loss_between_two_runs_is_refused_and_a_resnapshot_mends_it(string name, string sql)
    {
        await using var shop = await CaptureShop.OpenAsync(server, Table);
        var log = await RunAsync(shop);
        foreach (var statement in sql.Replace("{slot}", shop.Slot).Split("; "))
        {
            if (name != "table made again")
            {
                await shop.RunAsync("UPDATE t SET v = v + 1");
            }

            await shop.RunAsync(statement);
        }

        await using (var refused = log.Read(shop.Source("public.t")))
        {
            var error = (await refused.Ended)!;
            error.Code.ShouldBe(ErrorCode.SourceGap, name);
            error.Suggestion!.ShouldContain($"duplex resnapshot {shop.Context.Connection}");
        }

        var saved = log.Position!;
        await using (var source = shop.Source("public.t"))
        {
            log.Position = await source.ResnapshotAsync(saved, CancellationToken.None);
        }

        log.Position!.Epoch.ShouldBe(saved.Epoch + 1);
        await using var again = log.Read(shop.Source("public.t"));
        await again.CaughtUpAsync(shop);
        await shop.RunAsync("INSERT INTO t VALUES (9, 9)");
        await again.CaughtUpAsync(shop);
        await FreshAsync(shop, log);
    }

    [SkippableFact]
    public async Task A_position_of_another_database_or_another_server_or_beyond_the_log_is_refused()
    {
        await using var shop = await CaptureShop.OpenAsync(server, Table);
        await using var other = await CaptureShop.OpenAsync(server, Table);
        var log = await RunAsync(shop);
        var foreign = await RunAsync(other);
        var token = log.Position!.Token!;
        Position[] positions =
        [
            foreign.Position!,
            log.Position with { Major = log.Position.Major + (1UL << 40) },
            log.Position with { Major = 8 },
            log.Position with { Token = null },
            log.Position with { Token = "{}" },
            log.Position with { Token = "not JSON" },
            log.Position with { Token = token.Replace("\"v\":1", "\"v\":2") },
            log.Position with { Token = token.Replace("\"system\":\"", "\"system\":\"1") },
            log.Position with { Token = token.Replace("\"timeline\":1", "\"timeline\":2") },
        ];
        foreach (var position in positions)
        {
            var copy = new CaptureLog { Position = position };
            await using var refused = copy.Read(shop.Source("public.t"));
            (await refused.Ended)!.Code.ShouldBe(ErrorCode.SourceGap, position.ToString());
        }

        await using var whole = log.Read(shop.Source("public.t"));
        await whole.CaughtUpAsync(shop);
    }

    [SkippableFact]
    public async Task A_table_taken_out_of_the_publication_while_the_stream_runs_ends_it()
    {
        await using var shop = await CaptureShop.OpenAsync(server, Table);
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.t"));
        await reading.CaughtUpAsync(shop);
        await shop.RunAsync($"ALTER PUBLICATION {shop.Slot} DROP TABLE t");
        (await reading.Ended)!.Code.ShouldBe(ErrorCode.SourceGap);
    }

    [SkippableFact]
    public async Task A_slot_whose_log_the_server_removed_is_refused_and_a_resnapshot_mends_it()
    {
        PostgresServer.SkipWithoutPostgres();
        await using var own = await PrivatePostgres.StartAsync(new PrivatePostgresOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["max_slot_wal_keep_size"] = "2MB",
                ["min_wal_size"] = "32MB",
                ["max_wal_size"] = "32MB",
            },
        });
        await using var shop = await CaptureShop.OpenAsync(own, Table);
        var log = await RunAsync(shop);
        await shop.RunAsync("CREATE TABLE filler (v text)");
        await Eventually.HoldsAsync(async () =>
        {
            await shop.RunAsync("INSERT INTO filler SELECT repeat(md5(i::text), 20) FROM generate_series(1, 40000) i");
            await shop.RunAsync("CHECKPOINT");
            return (string?)await shop.RunAsync("SELECT wal_status FROM pg_replication_slots") == "lost";
        });
        await using (var refused = log.Read(shop.Source("public.t")))
        {
            var error = (await refused.Ended)!;
            error.Code.ShouldBe(ErrorCode.SourceGap);
            error.Message.ShouldContain("max_slot_wal_keep_size");
        }

        await using (var source = shop.Source("public.t"))
        {
            log.Position = await source.ResnapshotAsync(log.Position, CancellationToken.None);
        }

        await using var again = log.Read(shop.Source("public.t"));
        await again.CaughtUpAsync(shop);
        await FreshAsync(shop, log);
    }

    [SkippableFact]
    public async Task A_resnapshot_on_demand_keeps_a_slot_that_is_whole_so_that_no_delete_is_lost()
    {
        await using var shop = await CaptureShop.OpenAsync(server, Table);
        var log = await RunAsync(shop);
        await shop.RunAsync("DELETE FROM t WHERE id = 1");
        await using (var source = shop.Source("public.t"))
        {
            log.Position = await source.ResnapshotAsync(log.Position, CancellationToken.None);
        }

        await using var again = log.Read(shop.Source("public.t"));
        await again.CaughtUpAsync(shop);
        log.Changes.Select(static c => $"{ChangeEnvelope.Letter(c.Operation)}{c.Key}")
            .ShouldBe(["r1", "r2", "d1", "r2"]);
    }

    private static async Task<CaptureLog> RunAsync(CaptureShop shop)
    {
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.t"));
        await reading.CaughtUpAsync(shop);
        return log;
    }

    /// <summary>Every row of the table was read in the fresh epoch, as it is.</summary>
    private static async Task FreshAsync(CaptureShop shop, CaptureLog log)
    {
        var fresh = log.Changes.Where(static c => c.Position.StartsWith("2:") && c.After is not null)
            .GroupBy(static c => c.Key).Select(static g => g.Last().After!.ToString());
        fresh.ShouldBe(
            await shop.ListAsync("SELECT format('{\"id\":%s,\"v\":%s}', id, v) FROM t"), ignoreOrder: true);
    }
}
