using System.Globalization;
using Duplex.Simulators.Stripe.Faults;

namespace Duplex.EndToEnd.Tests;

/// <summary>A system that answers reads from a copy which lags behind its writes.</summary>
public sealed class LaggingReadTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    [SkippableFact]
    public async Task A_read_that_shows_the_value_before_our_write_is_no_edit()
    {
        await using var bed = await StartAsync(lagMilliseconds: 2000);
        await bed.ExecuteAsync("insert into customers (name, email) values ('n0', 'a@x.org')");
        await bed.UntilAsync(() => bed.StripeHas("a@x.org"), "the customer is created");
        await bed.QuietAsync();
        var id = Id(bed, "a@x.org");

        // The edit's news comes after our write, so that the record is read to learn which is younger.
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookDelay, Next = 1, DelayMilliseconds = 300 });
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{id}", "phone=5");
        await bed.ExecuteAsync("update customers set name = 'n1'");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select phone from customers"))[0] == "5", "the edit arrives");
        await bed.ConvergeAsync();
        (await bed.QueryAsync("select name || coalesce(phone, '') from history order by at")).ShouldBe(["n0", "n1", "n15"]);
        bed.StripeCustomer("a@x.org").GetProperty("name").GetString().ShouldBe("n1");
        ItHappened(bed);
    }

    [SkippableFact]
    public async Task A_new_record_that_a_read_does_not_find_yet_still_arrives()
    {
        await using var bed = await StartAsync(lagMilliseconds: 1500);
        for (var i = 0; i < 5; i++)
        {
            bed.Stripe.EditOnDashboard("POST", "/v1/customers", Invariant($"name=n{i}&email=c{i}@x.org"));
        }

        await bed.UntilAsync(async () => (await bed.QueryAsync("select count(*) from customers"))[0] == "5", "all arrive");
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(5);
        ItHappened(bed);
    }

    [SkippableFact]
    public async Task A_read_that_still_shows_what_we_deleted_does_not_bring_it_back()
    {
        await using var bed = await StartAsync(lagMilliseconds: 2000);
        await bed.ExecuteAsync("insert into customers (name, email) values ('n0', 'a@x.org')");
        await bed.UntilAsync(() => bed.StripeHas("a@x.org"), "the customer is created");
        await bed.QuietAsync();
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookDelay, Next = 1, DelayMilliseconds = 700 });
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{Id(bed, "a@x.org")}", "phone=5");
        await bed.ExecuteAsync("delete from customers");
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 0, "the customer is deleted");
        await bed.UntilAsync(() => bed.Stripe.FaultCounts.ContainsKey(FaultKind.StaleRead), "the late news is looked into");
        await bed.QuietAsync();
        (await bed.QueryAsync("select name from customers")).ShouldBeEmpty();
        (await bed.QueryAsync("select name from history")).ShouldBe(["n0"]);
        bed.StripeCustomers().ShouldBeEmpty();
        ItHappened(bed);
    }

    [SkippableTheory]
    [InlineData(400)]
    [InlineData(2500)]
    public async Task Edits_of_both_sides_all_survive_and_no_value_comes_back(int lagMilliseconds)
    {
        const int Records = 12;
        await using var bed = await StartAsync(lagMilliseconds);
        await bed.ExecuteAsync(Invariant(
            $"insert into customers (name, email) select 'n0', 'c' || i || '@x.org' from generate_series(1, {Records}) i"));
        await bed.UntilAsync(() => bed.StripeCustomers().Count == Records, "all are created");
        await bed.QuietAsync();
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookReorder, DelayMilliseconds = 600 });
        var ids = bed.StripeCustomers().Select(static c => c.GetProperty("id").GetString()).ToList();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(150));
        for (var round = 1; round <= 20; round++)
        {
            await bed.ExecuteAsync(Invariant($"update customers set name = 'n{round}' where id % 3 = {round % 3}"));
            foreach (var id in ids.Where((_, i) => i % 4 == round % 4))
            {
                bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{id}", Invariant($"phone={round}"));
            }

            await tick.WaitForNextTickAsync();
        }

        var names = await bed.QueryAsync("select name from customers order by email");
        var phones = bed.StripeCustomers().ToDictionary(static c => Sides.Text(c, "email"), static c => Sides.Text(c, "phone"));
        await bed.ConvergeAsync(120);
        (await bed.QueryAsync("select name from customers order by email")).ShouldBe(names);
        bed.StripeCustomers().ToDictionary(static c => Sides.Text(c, "email"), static c => Sides.Text(c, "phone"))
            .ShouldBe(phones, ignoreOrder: true);
        (await bed.QueryAsync("""
            select email || ': ' || string_agg(name || '/' || coalesce(phone, ''), ' ' order by at) from history h
            where exists (select from history l where l.email = h.email and l.at < h.at
                and (substr(l.name, 2)::int > substr(h.name, 2)::int or l.phone::int > coalesce(h.phone, '0')::int))
            group by email
            """)).ShouldBeEmpty("a row only ever moves forward");
        ItHappened(bed);
    }

    /// <summary>A running bed whose reads lag, and a table that keeps every state that a row had.</summary>
    private async Task<Bed> StartAsync(int lagMilliseconds)
    {
        var bed = await postgres.BedAsync();
        await bed.ExecuteAsync("""
            create table history (at bigint generated by default as identity, email text, name text, phone text);
            create function keep() returns trigger language plpgsql as
                $$ begin insert into history (email, name, phone) values (new.email, new.name, new.phone); return new; end $$;
            create trigger keep after insert or update on customers for each row execute function keep()
            """);
        await bed.StartAsync();
        await bed.ReadyAsync();
        bed.Stripe.AddFault(new FaultRule
        {
            Kind = FaultKind.StaleRead, Operation = "GET /v1/customers/{id}", DelayMilliseconds = lagMilliseconds,
        });
        return bed;
    }

    private static void ItHappened(Bed bed) => bed.Stripe.FaultCounts[FaultKind.StaleRead].ShouldBeGreaterThan(0);

    private static string Id(Bed bed, string email) => bed.StripeCustomer(email).GetProperty("id").GetString()!;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
