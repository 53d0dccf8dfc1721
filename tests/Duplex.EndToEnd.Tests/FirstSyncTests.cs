using Duplex.Sdk;
using Duplex.Simulators.Stripe.Faults;

namespace Duplex.EndToEnd.Tests;

/// <summary>What is told while existing records are read, paired and carried over.</summary>
public sealed class FirstSyncTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    private const int Records = 3000;

    [SkippableFact]
    public async Task It_is_ready_when_the_existing_records_have_passed_and_tells_until_then_how_far_it_is()
    {
        await using var bed = await postgres.BedAsync();
        await bed.ExecuteAsync($"""
            insert into customers (name, email)
            select 'n' || i, 'c' || i || '@x.org' from generate_series(1, {Records}) i
            """);
        await bed.StartAsync();
        var told = new HashSet<string>(StringComparer.Ordinal);
        await bed.UntilAsync(async () =>
        {
            var status = await bed.Engine.StatusAsync(default);
            told.UnionWith(status.NotReadyBecause);
            status.Ready.ShouldBe(status.NotReadyBecause.Count == 0);
            return status.Ready;
        }, "it is ready");
        bed.StripeCustomers().Count.ShouldBe(Records);
        told.ShouldContain(static reason => reason.Contains("is first_sync: ", StringComparison.Ordinal));
        (await bed.Engine.StatusAsync(default)).Syncs[0].State.ShouldBe(Engine.Diagnostics.RunState.Running);
    }

    [SkippableFact]
    public async Task Keys_that_change_after_the_snapshot_make_no_second_record()
    {
        await using var bed = await postgres.BedAsync();
        await bed.ExecuteAsync("""
            insert into customers (name, email)
            select 'n' || i, 'c' || i || '@x.org' from generate_series(1, 60) i
            """);
        bed.Stripe.Seed(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(31, 60).Select(static i =>
            $$"""{"name":"s{{i}}","email":"c{{i}}@x.org"}"""))));
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Operation = "GET *" });
        await bed.StartAsync();
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)).Connections
            .Single(static c => c.Name == "shop").Source is { Phase: SourcePhase.Streaming }, "the rows are copied");
        await bed.ExecuteAsync("update customers set id = id + 1000 where id % 3 = 0");
        await bed.ExecuteAsync("update customers set id = id + 1000, email = 'new' || email where id < 60 and id % 10 = 1");
        await bed.ExecuteAsync("delete from customers where id < 60 and id % 10 = 2");
        await bed.UntilAsync(() => bed.Stripe.FaultCounts.ContainsKey(FaultKind.ErrorBefore), "the customers cannot be read");
        bed.StripeCustomers().Count.ShouldBe(60);
        bed.Stripe.ClearFaults();
        await bed.ConvergeAsync();
        var emails = bed.StripeCustomers().Select(static c => c.GetProperty("email").GetString()).ToList();
        emails.Distinct().Count().ShouldBe(emails.Count);
        (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)).ShouldBeEmpty();
        await bed.ReadyAsync();
    }

    [SkippableFact]
    public async Task A_row_that_is_copied_under_two_keys_is_one_record()
    {
        const int Rows = 5_000;
        await using var bed = await postgres.BedAsync();
        bed.ShopSettings = $"snapshot_chunk: 20\n    {await TableGate.MakeSlotAsync(bed)}";
        await bed.ExecuteAsync($"""
            insert into customers (name, email)
            select 'n' || i, 'c' || i || '@x.org' from generate_series(1, {Rows}) i
            """);
        bed.Stripe.Seed(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(1, 40).Select(static i =>
            $$"""{"name":"s{{i}}","email":"c{{i * 2}}@x.org"}"""))));
        await using (var gate = await TableGate.CloseAsync(bed))
        {
            await bed.StartAsync();
            for (var chunk = 0; chunk < 6; chunk++)
            {
                await gate.LetReadAsync();
            }

            await bed.UntilAsync(async () => await CopiedAsync(bed) is > 0 and < Rows, "the copy is under way");
            await gate.ExecuteAsync("update customers set id = id + 1000000 where id <= 80");
        }

        await bed.UntilAsync(() => bed.StripeCustomers().Count >= Rows, "they arrive");
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(Rows);
        (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)).ShouldBeEmpty();
    }

    private static async Task<long> CopiedAsync(Bed bed) => (await bed.Engine.StatusAsync(default)).Connections
        .Single(static c => c.Name == "shop").Source?.SnapshotRows ?? 0;
}
