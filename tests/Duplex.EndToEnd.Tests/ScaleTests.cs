using Duplex.Engine.Diagnostics;
using Xunit.Abstractions;

namespace Duplex.EndToEnd.Tests;

/// <summary>First sync of many records: the plan tells the counts, and then exactly that happens.</summary>
public sealed class ScaleTests(ITestOutputHelper output)
{
    private static readonly int Records =
        int.TryParse(Environment.GetEnvironmentVariable("DUPLEX_TEST_RECORDS"), out var n) ? n : 5_000;

    [SkippableFact]
    public async Task First_sync_does_what_the_plan_said()
    {
        await using var bed = await Bed.CreateAsync();
        var only = Records / 20;
        await bed.ExecuteAsync($"""
            insert into customers (name, email, plan) select 'Name ' || i, 'c' || i || '@x.org', 'free' from generate_series(1, {Records}) i
            """);
        var json = string.Join('\n', Enumerable.Range(only + 1, Records).Select(i =>
            $$$"""{"id":"cus_{{{i:D9}}}","name":"Name {{{i}}}","email":"c{{{i}}}@x.org","metadata":{"plan":"{{{(i % 10 == 0 ? "P" : "F")}}}"}}"""));
        bed.Stripe.Seed(System.Text.Encoding.UTF8.GetBytes(json)).ShouldBe(Records);

        await bed.PrepareAsync();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var plan = await bed.Engine.PlanAsync("acme/customers", null, default);
        output.WriteLine($"plan {clock.ElapsedMilliseconds} ms: {plan}");
        plan.ShouldNotBeNull();
        (plan.RecordsA, plan.RecordsB, plan.Link, plan.CreateA, plan.CreateB)
            .ShouldBe((Records, Records, Records - only, only, only));
        plan.Ambiguous.ShouldBe(0);
        plan.UpdateB.ShouldBe(plan.Conflicts);

        clock.Restart();
        var written = bed.Stripe.WriteCount;
        await bed.Engine.StartAsync(default);
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default))
            .Syncs[0] is { State: RunState.Running } s
            && s.Links == Records + only && s.Legs.All(l => l.Behind == 0 && l.Pending == 0), "all linked", 600);
        output.WriteLine(
            $"first sync {clock.ElapsedMilliseconds} ms, {Environment.WorkingSet >> 20} MB with both sides in this process");
        await bed.QuietAsync();
        (bed.Stripe.WriteCount - written).ShouldBe(plan.CreateB + plan.UpdateB);
        bed.StripeCustomers().Count.ShouldBe(Records + only);
        (await bed.QueryAsync("select count(*) from customers")).ShouldBe([$"{Records + only}"]);
        var again = await bed.Engine.PlanAsync("acme/customers", null, default);
        again!.HasChanges.ShouldBeFalse(again.ToString());
        again.Linked.ShouldBe(Records + only);
    }
}
