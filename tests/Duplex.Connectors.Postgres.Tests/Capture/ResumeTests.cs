using System.Globalization;
using Duplex.Connectors.Postgres.Capture;
using Duplex.Sdk;
using Duplex.Simulators.Postgres;

namespace Duplex.Connectors.Postgres.Tests.Capture;

[Collection(PostgresCollection.Name)]
public sealed class ResumeTests(PostgresServer server)
{
    private const string Table = "CREATE TABLE t (id int PRIMARY KEY, v text)";

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_large_transaction_comes_in_bounded_batches_and_resumes_in_its_middle_without_loss_or_repeat(
        bool confirms)
    {
        await using var shop = await CaptureShop.OpenAsync(server, Table);
        var log = new CaptureLog { Confirms = confirms };
        await using (var reading = log.Read(shop.Source("public.t")))
        {
            await reading.CaughtUpAsync(shop);
        }

        await shop.RunAsync("INSERT INTO t SELECT i, repeat('v', 200) FROM generate_series(1, 40000) i");
        await shop.RunAsync("INSERT INTO t SELECT i, 'after' FROM generate_series(40001, 40010) i");
        for (var kill = 0; kill < 3; kill++)
        {
            var last = log.Batches + 3;
            log.Accepts = _ => log.Batches < last;
            await using var killed = log.Read(shop.Source("public.t"));
            (await killed.Ended).ShouldBeNull();
            log.Position!.Minor.ShouldBeGreaterThan(0UL);
        }

        log.Accepts = static _ => true;
        await using var again = log.Read(shop.Source("public.t"));
        await again.CaughtUpAsync(shop);
        log.Changes.Select(static c => int.Parse(c.Key.ToString(), CultureInfo.InvariantCulture))
            .ShouldBe(Enumerable.Range(1, 40010));
        log.BytesMax.ShouldBeLessThan(2 << 20);
        log.Changes.Take(40000).Select(static c => c.Position[..c.Position.LastIndexOf(':')]).Distinct().Count()
            .ShouldBe(1);
    }

    [SkippableFact]
    public async Task Cut_connections_cost_neither_a_change_nor_a_repeat()
    {
        await using var shop = await CaptureShop.OpenAsync(server, Table);
        var log = new CaptureLog();
        for (var cut = 0; cut < 4; cut++)
        {
            await using var reading = log.Read(shop.Source("public.t"));
            await reading.CaughtUpAsync(shop);
            await shop.RunAsync($"INSERT INTO t SELECT {cut * 1000} + i, 'v' FROM generate_series(0, 99) i");
            await Eventually.HoldsAsync(async () => 1L == (long)(await shop.RunAsync($"""
                SELECT count(pg_terminate_backend(active_pid)) FROM pg_replication_slots WHERE slot_name = '{shop.Slot}'
                """))!);
            (await reading.Ended)!.Code.ShouldBe(ErrorCode.SourceUnavailable);
        }

        await using var last = log.Read(shop.Source("public.t"));
        await last.CaughtUpAsync(shop);
        log.Changes.Select(static c => c.Key.ToString()).ShouldBe(
            from cut in Enumerable.Range(0, 4) from i in Enumerable.Range(0, 100)
            select ((cut * 1000) + i).ToString(CultureInfo.InvariantCulture));
    }

    [SkippableFact]
    public async Task A_killed_server_that_sends_confirmed_changes_again_is_heard_once()
    {
        PostgresServer.SkipWithoutPostgres();
        await using var own = await PrivatePostgres.StartAsync();
        await using var shop = await CaptureShop.OpenAsync(own, Table);
        var log = new CaptureLog();
        for (var crash = 0; crash < 2; crash++)
        {
            var reading = log.Read(shop.Source("public.t"));
            await reading.CaughtUpAsync(shop);
            for (var i = 0; i < 20; i++)
            {
                await shop.RunAsync($"INSERT INTO t VALUES ({(crash * 100) + i}, 'v')");
            }

            await reading.CaughtUpAsync(shop);
            var saved = log.Position!;
            await own.KillAsync();
            (await reading.Ended)!.Code.ShouldBe(ErrorCode.SourceUnavailable);
            await reading.DisposeAsync();
            shop.Forget();
            await own.StartAsync();

            // The slot's place is only written at checkpoints, so it falls behind what was confirmed.
            var confirmed = Lsn.Parse((string)(await shop.RunAsync(
                $"SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = '{shop.Slot}'"))!);
            confirmed.ShouldBeLessThan(saved.Major);
        }

        await using var last = log.Read(shop.Source("public.t"));
        await last.CaughtUpAsync(shop);
        log.Changes.Count.ShouldBe(40);
        log.Changes.Select(static c => c.Key.ToString()).Distinct().Count().ShouldBe(40);
    }

    [SkippableFact]
    public async Task A_long_transaction_that_is_open_across_a_restart_comes_whole_after_the_short_ones_beside_it()
    {
        await using var shop = await CaptureShop.OpenAsync(server, Table);
        var log = new CaptureLog();
        await using var slow = await shop.ConnectAsync();
        await using (var first = log.Read(shop.Source("public.t")))
        {
            await first.CaughtUpAsync(shop);
            await new Npgsql.NpgsqlCommand("BEGIN; INSERT INTO t SELECT i, 'slow' FROM generate_series(1, 50) i", slow)
                .ExecuteNonQueryAsync();
            await shop.RunAsync("INSERT INTO t VALUES (100, 'short')");
            await first.UntilAsync(static l => l.Changes.Count == 1);
            await first.CaughtUpAsync(shop);
        }

        await new Npgsql.NpgsqlCommand("INSERT INTO t SELECT i, 'slow' FROM generate_series(51, 60) i; COMMIT", slow)
            .ExecuteNonQueryAsync();
        await using var second = log.Read(shop.Source("public.t"));
        await second.CaughtUpAsync(shop);
        log.Changes.Select(static c => c.Key.ToString()).ShouldBe(
            Enumerable.Range(1, 60).Prepend(100).Select(static i => i.ToString(CultureInfo.InvariantCulture)));
    }

    [SkippableFact]
    public async Task Nothing_that_is_not_durable_is_confirmed()
    {
        await using var shop = await CaptureShop.OpenAsync(server, Table);
        var log = new CaptureLog { Confirms = false };
        await using var reading = log.Read(shop.Source("public.t"));
        await reading.CaughtUpAsync(shop);
        var first = await ConfirmedAsync(shop);
        await shop.RunAsync("INSERT INTO t SELECT i, 'v' FROM generate_series(1, 100) i");
        await reading.CaughtUpAsync(shop);
        await shop.RunAsync("INSERT INTO t VALUES (101, 'v')");
        await reading.CaughtUpAsync(shop);
        (await ConfirmedAsync(shop)).ShouldBe(first);
    }

    internal static async Task<ulong> ConfirmedAsync(CaptureShop shop) => Lsn.Parse((string)(await shop.RunAsync(
        $"SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = '{shop.Slot}'"))!);
}
