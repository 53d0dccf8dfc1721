using Duplex.Connectors.Postgres.Capture;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Tests.Capture;

[Collection(PostgresCollection.Name)]
public sealed class SlotTests(PostgresServer server)
{
    [SkippableFact]
    public async Task The_slot_moves_on_while_the_selected_tables_are_idle_and_others_are_not()
    {
        await using var shop = await CaptureShop.OpenAsync(
            server, "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE busy (id int)");
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.t"));
        await reading.CaughtUpAsync(shop);
        await shop.RunAsync("INSERT INTO busy SELECT generate_series(1, 50000)");
        var lsn = Lsn.Parse((string)(await shop.RunAsync("SELECT pg_current_wal_insert_lsn()::text"))!);
        await Eventually.HoldsAsync(async () => await ResumeTests.ConfirmedAsync(shop) >= lsn);
        log.Changes.ShouldBeEmpty();
    }

    [SkippableFact]
    public async Task The_slot_moves_on_while_only_another_database_is_written_to()
    {
        await using var shop = await CaptureShop.OpenAsync(server, "CREATE TABLE t (id int PRIMARY KEY)");
        await using var other = await CaptureShop.OpenAsync(server, "CREATE TABLE busy (id int)");
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.t"));
        await reading.CaughtUpAsync(shop);
        await other.RunAsync("INSERT INTO busy SELECT generate_series(1, 50000)");
        var lsn = Lsn.Parse((string)(await shop.RunAsync("SELECT pg_current_wal_insert_lsn()::text"))!);
        await Eventually.HoldsAsync(async () => await ResumeTests.ConfirmedAsync(shop) >= lsn);
    }

    [SkippableFact]
    public async Task Removing_the_source_leaves_neither_slot_nor_publication_and_can_be_repeated()
    {
        await using var shop = await CaptureShop.OpenAsync(server, "CREATE TABLE t (id int PRIMARY KEY)");
        var log = new CaptureLog();
        await using (var reading = log.Read(shop.Source("public.t")))
        {
            await reading.CaughtUpAsync(shop);
        }

        await using var source = shop.Source("public.t");
        await source.RemoveAsync(CancellationToken.None);
        await source.RemoveAsync(CancellationToken.None);
        (await shop.RunAsync($"""
            SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{shop.Slot}')
                 + (SELECT count(*) FROM pg_publication)
            """)).ShouldBe(0L);
    }

    [SkippableFact]
    public async Task A_slot_that_another_session_reads_is_waited_for()
    {
        await using var shop = await CaptureShop.OpenAsync(server, "CREATE TABLE t (id int PRIMARY KEY)");
        var log = new CaptureLog();
        await using var first = log.Read(shop.Source("public.t"));
        await first.CaughtUpAsync(shop);

        var second = new CaptureLog { Position = log.Position };
        await using var refused = second.Read(shop.Source("public.t"));
        (await refused.Ended)!.Code.ShouldBe(ErrorCode.SourceUnavailable);
    }

    [SkippableFact]
    public async Task A_refused_start_leaves_nothing_at_the_server()
    {
        await using var shop = await CaptureShop.OpenAsync(
            server, "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE nokey (id int)");
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.t", "public.nokey"));
        var error = (await reading.Ended)!;
        error.Code.ShouldBe(ErrorCode.SourceMisconfigured);
        error.Suggestion!.ShouldContain("ADD PRIMARY KEY");
        log.Position.ShouldBeNull();
        (await shop.RunAsync($"""
            SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{shop.Slot}')
                 + (SELECT count(*) FROM pg_publication)
            """)).ShouldBe(0L);
        await shop.RunAsync("UPDATE nokey SET id = 1");
    }

    [Fact]
    public void Two_connections_never_share_a_name_and_no_name_is_too_long()
    {
        string[] connections = ["shop", "Shop", "shop-1", "shop_1", "shop.1", new('x', 80), new('x', 81), "große"];
        var names = connections.Select(static c => CaptureOptions.DefaultName("abcd2345", c)).ToArray();
        names.Distinct().Count().ShouldBe(connections.Length);
        names.ShouldAllBe(static n => n.Length <= 63
            && n.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'));
        names[0].ShouldBe("duplex_abcd2345_shop");
    }
}
