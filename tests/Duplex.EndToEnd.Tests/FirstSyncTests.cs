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
}
