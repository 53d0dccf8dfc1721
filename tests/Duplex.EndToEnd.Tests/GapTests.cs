using Duplex.Engine.Diagnostics;
using Duplex.Sdk;

namespace Duplex.EndToEnd.Tests;

/// <summary>The source's history is broken behind the engine's back.</summary>
public sealed class GapTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    private const string Drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots "
        + "where database = current_database()";

    [SkippableTheory]
    [InlineData("dropped")]
    [InlineData("recreated")]
    [InlineData("advanced")]
    public async Task A_gap_that_came_while_it_was_stopped_is_told_and_a_snapshot_closes_it(string how)
    {
        await using var bed = await FilledAsync();
        await bed.StopAsync();
        await LoseAsync(bed);
        var slot = (await bed.QueryAsync(
            "select slot_name from pg_replication_slots where database = current_database()")).Single();
        await bed.ExecuteAsync(how switch
        {
            "dropped" => Drop,
            "recreated" => $"{Drop}; select pg_create_logical_replication_slot('{slot}', 'pgoutput')",
            _ => $"select pg_replication_slot_advance('{slot}', pg_current_wal_lsn())",
        });
        await bed.StartAsync();
        await IsToldAndClosedAsync(bed);
    }

    [SkippableFact]
    public async Task A_slot_that_is_dropped_while_it_runs_is_told_and_a_snapshot_closes_the_gap()
    {
        await using var bed = await FilledAsync();
        await bed.ExecuteAsync("""
            do $$ begin
                while exists (select from pg_replication_slots where database = current_database()) loop
                    perform pg_terminate_backend(active_pid) from pg_replication_slots
                        where database = current_database() and active;
                    begin
                        perform pg_drop_replication_slot(slot_name) from pg_replication_slots
                            where database = current_database();
                    exception when object_in_use then null;
                    end;
                end loop;
            end $$
            """);
        await LoseAsync(bed);
        await IsToldAndClosedAsync(bed);
    }

    [SkippableFact]
    public async Task A_snapshot_asked_for_while_the_last_ones_deletes_are_looked_for_gets_its_own_look()
    {
        var calls = new CallCounts();
        await using var bed = await FilledAsync(calls);
        calls.Before = (member, times) =>
        {
            if (member == "ListLinksAsync" && times == 2)
            {
                bed.Engine.ResnapshotAsync("acme", "shop", default).AsTask().GetAwaiter().GetResult();
            }
        };
        await bed.Engine.ResnapshotAsync("acme", "shop", default);
        await bed.UntilAsync(() => calls.Of("ListLinksAsync") >= 4, "both look for what is gone");
        await bed.UntilAsync(async () =>
            await bed.Engine.Parts.Store.ReadValueAsync("sweep:acme/customers:a", default) is null, "nothing is asked for");
        await bed.ConvergeAsync();
        calls.Of("ListLinksAsync").ShouldBe(4);
    }

    [SkippableFact]
    public async Task A_snapshot_asked_for_when_reading_has_stopped_is_refused_with_its_reason()
    {
        await using var bed = await FilledAsync();
        await bed.Engine.StopAsync(default);
        (await Should.ThrowAsync<SyncException>(
            async () => await bed.Engine.ResnapshotAsync("acme", "shop", default).AsTask()
                .WaitAsync(TimeSpan.FromMinutes(2)))).Error.Message.ShouldContain("acme/shop has stopped");
    }

    private async Task<Bed> FilledAsync(CallCounts? calls = null)
    {
        var bed = await postgres.BedAsync();
        bed.Calls = calls;
        await bed.ExecuteAsync(
            "insert into customers (name, email) select 'n' || i, 'c' || i || '@x.org' from generate_series(1, 60) i");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 60, "all arrive");
        await bed.QuietAsync();
        return bed;
    }

    private static async Task LoseAsync(Bed bed)
    {
        await bed.ExecuteAsync("""
            update customers set name = 'changed' where id <= 5;
            delete from customers where id between 6 and 10;
            insert into customers (name, email) values ('new', 'new@x.org')
            """);
    }

    private static async Task IsToldAndClosedAsync(Bed bed)
    {
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)) is { Ready: false } s
            && s.Connections.Single(static c => c.Name == "shop") is
                { State: RunState.Blocked, Error: { Code: ErrorCode.SourceGap, Suggestion.Length: > 0 } },
            "the gap is told");
        bed.StripeHas("new@x.org").ShouldBeFalse("the change was not lost");
        bed.StripeCustomers().Count.ShouldBe(60);
        (await bed.Engine.ResnapshotAsync("acme", "shop", default)).ShouldBeTrue();
        await bed.ConvergeAsync();
        bed.StripeHas("new@x.org").ShouldBeTrue();
        bed.StripeCustomers().Count.ShouldBe(56);
        await bed.ReadyAsync();
        await bed.ExecuteAsync("update customers set name = 'after' where id = 1");
        await bed.UntilAsync(() => bed.StripeCustomer("c1@x.org").GetProperty("name").GetString() == "after",
            "it streams again");
    }
}
