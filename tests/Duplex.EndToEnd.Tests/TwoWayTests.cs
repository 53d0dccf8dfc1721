using Duplex.Engine.Diagnostics;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.EndToEnd.Tests;

public sealed class TwoWayTests
{
    [SkippableFact]
    public async Task Records_of_both_sides_are_paired_created_and_kept_equal()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.ExecuteAsync("""
            insert into customers (name, email, plan, balance_eur) values
                ('Ada', 'Ada@example.com', 'pro', 12.50), ('Bob', 'bob@example.com', 'free', 0);
            """);
        bed.Stripe.EditOnDashboard("POST", "/v1/customers",
            "name=Ada&email=ada@example.com&balance=1250&metadata[plan]=P");
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Cleo&email=cleo@example.com");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeHas("bob@example.com"), "Bob arrives at Stripe");
        await bed.UntilAsync(async () =>
            (await bed.QueryAsync("select name from customers where email='cleo@example.com'")).Count == 1,
            "Cleo arrives at PostgreSQL");
        await bed.QuietAsync();
        bed.StripeCustomers().Count.ShouldBe(3);
        (await bed.QueryAsync("select count(*) from customers")).ShouldBe(["3"]);
        bed.StripeCustomer("bob@example.com").GetProperty("metadata").GetProperty("plan").GetString().ShouldBe("F");

        await bed.ExecuteAsync("update customers set name='Ada L.' where email='Ada@example.com'");
        await bed.UntilAsync(() => bed.StripeCustomer("ada@example.com").GetProperty("name").GetString() == "Ada L.",
            "A to B");
        var cleo = bed.StripeCustomer("cleo@example.com").GetProperty("id").GetString();
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{cleo}", "name=Cleopatra&metadata[plan]=P");
        await bed.UntilAsync(async () => (await bed.QueryAsync(
            "select name || plan from customers where email='cleo@example.com'")).Contains("Cleopatrapro"), "B to A");
        await bed.QuietAsync();
    }

    [SkippableFact]
    public async Task One_edit_makes_exactly_one_write_on_the_other_side()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.ExecuteAsync("insert into customers (name, email) values ('Ada', 'ada@example.com')");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeHas("ada@example.com"), "Ada arrives");
        await bed.QuietAsync();
        var before = bed.Stripe.WriteCount;
        var xmin = await bed.QueryAsync("select xmin::text from customers");

        await bed.ExecuteAsync("update customers set name='Ada L.'");
        await bed.UntilAsync(() => bed.StripeCustomer("ada@example.com").GetProperty("name").GetString() == "Ada L.",
            "A to B");
        await bed.QuietAsync();
        (bed.Stripe.WriteCount - before).ShouldBe(1);
        (await bed.QueryAsync("select xmin::text from customers")).ShouldNotBe(xmin);

        xmin = await bed.QueryAsync("select xmin::text from customers");
        before = bed.Stripe.WriteCount;
        var id = bed.StripeCustomer("ada@example.com").GetProperty("id").GetString();
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{id}", "phone=555");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select phone from customers"))[0] == "555", "B to A");
        var after = await bed.QueryAsync("select xmin::text from customers");
        await bed.QuietAsync();
        (await bed.QueryAsync("select xmin::text from customers")).ShouldBe(after);
        after.ShouldNotBe(xmin);
        (bed.Stripe.WriteCount - before).ShouldBe(0);
    }

    [SkippableFact]
    public async Task Deletes_and_key_changes_follow_their_record()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.ExecuteAsync(
            "insert into customers (id, name, email) values (1,'Ada','ada@x.org'),(2,'Bob','bob@x.org'),(3,'Cy','cy@x.org')");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 3, "all arrive");
        await bed.ExecuteAsync("update customers set id=100, name='Ada B.' where id=1");
        await bed.UntilAsync(() => bed.StripeCustomer("ada@x.org").GetProperty("name").GetString() == "Ada B.",
            "the update follows");
        bed.StripeCustomers().Count.ShouldBe(3);
        await bed.ExecuteAsync("delete from customers where id=2");
        await bed.UntilAsync(() => !bed.StripeHas("bob@x.org"), "the delete follows");
        var ada = bed.StripeCustomer("ada@x.org").GetProperty("id").GetString();
        bed.Stripe.EditOnDashboard("DELETE", $"/v1/customers/{ada}");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select id from customers")).SequenceEqual(["3"]),
            "the delete comes back");
        await bed.QuietAsync();
        bed.StripeCustomers().Count.ShouldBe(1);
    }

    [SkippableFact]
    public async Task What_happens_while_it_is_stopped_is_carried_over_at_the_next_start()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.ExecuteAsync(
            "insert into customers (name, email) select 'n' || i, 'c' || i || '@x.org' from generate_series(1, 50) i");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 50, "all arrive");
        await bed.QuietAsync();
        await bed.StopAsync();
        await bed.ExecuteAsync(
            "update customers set name='A' where email='c1@x.org'; delete from customers where email='c2@x.org'");
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{bed.StripeCustomer("c3@x.org").GetProperty("id")}",
            "name=B");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomer("c1@x.org").GetProperty("name").GetString() == "A", "A to B");
        await bed.UntilAsync(() => !bed.StripeHas("c2@x.org"), "the delete");
        await bed.UntilAsync(async () =>
            (await bed.QueryAsync("select name from customers where email='c3@x.org'"))[0] == "B", "B to A");
        await bed.QuietAsync();
        bed.StripeCustomers().Count.ShouldBe(49);
    }

    [SkippableFact]
    public async Task What_waits_while_it_is_paused_is_counted_also_by_an_engine_that_has_not_begun()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.StartAsync();
        await bed.ReadyAsync();
        await bed.Engine.PauseAsync("acme/customers", default);
        await bed.ExecuteAsync("insert into customers (name, email) select 'N', n || '@x.org' from generate_series(1, 5) n");
        await bed.UntilAsync(async () => await LegAsync(bed) is { State: RunState.Paused, Behind: 5 }, "five are counted");
        (await LegAsync(bed)).OldestUnpassedSeconds.ShouldBeGreaterThan(0);

        await bed.StopAsync();
        await bed.PrepareAsync();
        (await LegAsync(bed)).Behind.ShouldBe(5);
        await bed.Engine.StartAsync(default);
        await bed.UntilAsync(async () => await LegAsync(bed) is { State: RunState.Paused }, "the pause lasts");
        (await LegAsync(bed)).Behind.ShouldBe(5);
        bed.StripeCustomers().ShouldBeEmpty();

        await bed.Engine.ResumeAsync("acme/customers", default);
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 5, "what waited goes over");
        await bed.UntilAsync(async () => await LegAsync(bed) is { Behind: 0, OldestUnpassedSeconds: 0 }, "nothing waits");
    }

    [SkippableFact]
    public async Task The_view_of_a_record_shows_both_sides_and_what_happened()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.ExecuteAsync("insert into customers (id, name, email) values (7, 'Ada', 'ada@x.org')");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeHas("ada@x.org"), "Ada arrives");
        await bed.QuietAsync();
        var view = await bed.Engine.ViewAsync("acme/customers", Side.A, RecordKey.Of("7"), default);
        view.ShouldNotBeNull();
        view.A.ShouldNotBeNull();
        view.B.ShouldNotBeNull();
        view.Fields.ShouldAllBe(f => f.Equal);
        view.Timeline.Select(t => t.Kind).ShouldContain(TimelineKind.Written);
    }

    private static async Task<LegStatus> LegAsync(Bed bed) =>
        (await bed.Engine.StatusAsync(default)).Syncs[0].Legs.Single(static l => l.From == "a");
}
