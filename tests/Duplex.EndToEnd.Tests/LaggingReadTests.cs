using System.Globalization;
using Duplex.Simulators.Stripe.Faults;

namespace Duplex.EndToEnd.Tests;

/// <summary>A system that answers reads from a copy which lags behind its writes.</summary>
public sealed class LaggingReadTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    private static readonly TimeSpan UntilCleared = TimeSpan.FromHours(1);

    [SkippableFact]
    public async Task A_read_that_shows_the_value_before_our_write_is_no_edit()
    {
        await using var bed = await postgres.BedAsync();
        var news = NewsGate.Before(bed);
        await StartAsync(bed);
        await bed.ExecuteAsync("insert into customers (name, email) values ('n0', 'a@x.org')");
        await bed.UntilAsync(() => bed.StripeHas("a@x.org"), "the customer is created");
        await bed.QuietAsync();
        Lag(bed, UntilCleared);

        // The edit's news comes after our write, so that the record is read to learn which is younger.
        news.Close();
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{Id(bed, "a@x.org")}", "phone=5");
        await bed.ExecuteAsync("update customers set name = 'n1'");
        await bed.UntilAsync(() => Sides.Text(bed.StripeCustomer("a@x.org"), "name") == "n1", "our write is made");
        news.Open();
        await CatchUpAsync(bed);
        await bed.UntilAsync(async () => (await bed.QueryAsync("select phone from customers"))[0] == "5", "the edit arrives");
        await bed.ConvergeAsync();
        (await bed.QueryAsync("select name || coalesce(phone, '') from history order by at")).ShouldBe(["n0", "n1", "n15"]);
        bed.StripeCustomer("a@x.org").GetProperty("name").GetString().ShouldBe("n1");
    }

    [SkippableFact]
    public async Task A_new_record_that_a_read_does_not_find_yet_still_arrives()
    {
        await using var bed = await postgres.BedAsync();
        await StartAsync(bed);
        Lag(bed, UntilCleared);
        for (var i = 0; i < 5; i++)
        {
            bed.Stripe.EditOnDashboard("POST", "/v1/customers", Invariant($"name=n{i}&email=c{i}@x.org"));
        }

        await CatchUpAsync(bed);
        await bed.UntilAsync(async () => (await bed.QueryAsync("select count(*) from customers"))[0] == "5", "all arrive");
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(5);
    }

    [SkippableFact]
    public async Task A_read_that_still_shows_what_we_deleted_does_not_bring_it_back()
    {
        await using var bed = await postgres.BedAsync();
        var news = NewsGate.Before(bed);
        await StartAsync(bed);
        await bed.ExecuteAsync("insert into customers (name, email) values ('n0', 'a@x.org')");
        await bed.UntilAsync(() => bed.StripeHas("a@x.org"), "the customer is created");
        await bed.QuietAsync();
        Lag(bed, UntilCleared);
        news.Close();
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{Id(bed, "a@x.org")}", "phone=5");
        await bed.ExecuteAsync("delete from customers");
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 0, "the customer is deleted");
        news.Open();
        await CatchUpAsync(bed);
        await bed.QuietAsync();
        (await bed.QueryAsync("select name from customers")).ShouldBeEmpty();
        (await bed.QueryAsync("select name from history")).ShouldBe(["n0"]);
        bed.StripeCustomers().ShouldBeEmpty();
    }

    [SkippableTheory]
    [InlineData(400)]
    [InlineData(2500)]
    public async Task Edits_of_both_sides_all_survive_and_no_value_comes_back(int lagMilliseconds)
    {
        const int Records = 12;
        const int RoundsMax = 300;
        await using var bed = await postgres.BedAsync();
        await StartAsync(bed);
        Lag(bed, TimeSpan.FromMilliseconds(lagMilliseconds));
        await bed.ExecuteAsync(Invariant(
            $"insert into customers (name, email) select 'n0', 'c' || i || '@x.org' from generate_series(1, {Records}) i"));
        await bed.UntilAsync(() => bed.StripeCustomers().Count == Records, "all are created");
        await bed.QuietAsync();
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookReorder, DelayMilliseconds = 600 });
        var ids = bed.StripeCustomers().Select(static c => c.GetProperty("id").GetString()).ToList();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(150));
        for (var round = 1; round <= RoundsMax && (round <= 20 || !IsStale(bed)); round++)
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
        await bed.ConvergeAsync();
        (await bed.QueryAsync("select name from customers order by email")).ShouldBe(names);
        bed.StripeCustomers().ToDictionary(static c => Sides.Text(c, "email"), static c => Sides.Text(c, "phone"))
            .ShouldBe(phones, ignoreOrder: true);
        (await bed.QueryAsync("""
            select email || ': ' || string_agg(name || '/' || coalesce(phone, ''), ' ' order by at) from history h
            where exists (select from history l where l.email = h.email and l.at < h.at
                and (substr(l.name, 2)::int > substr(h.name, 2)::int or l.phone::int > coalesce(h.phone, '0')::int))
            group by email
            """)).ShouldBeEmpty("a row only ever moves forward");
        IsStale(bed).ShouldBeTrue("no read lagged behind a change");
    }

    /// <summary>Starts, with a table that keeps every state that a row had.</summary>
    private static async Task StartAsync(Bed bed)
    {
        await bed.ExecuteAsync("""
            create table history (at bigint generated by default as identity, email text, name text, phone text);
            create function keep() returns trigger language plpgsql as
                $$ begin insert into history (email, name, phone) values (new.email, new.name, new.phone); return new; end $$;
            create trigger keep after insert or update on customers for each row execute function keep()
            """);
        await bed.StartAsync();
        await bed.ReadyAsync();
    }

    /// <summary>From now on reads of a record show it as it was so long ago.</summary>
    private static void Lag(Bed bed, TimeSpan behind) => bed.Stripe.AddFault(new FaultRule
    {
        Kind = FaultKind.StaleRead, Operation = "GET /v1/customers/{id}", DelayMilliseconds = (int)behind.TotalMilliseconds,
    });

    /// <summary>Waits for a read that shows what is no longer so; those after it show what is.</summary>
    private static async Task CatchUpAsync(Bed bed)
    {
        await bed.UntilAsync(() => IsStale(bed), "a read lags behind the change");
        bed.Stripe.ClearFaults();
    }

    private static bool IsStale(Bed bed) => bed.Stripe.FaultCounts.ContainsKey(FaultKind.StaleRead);

    private static string Id(Bed bed, string email) => bed.StripeCustomer(email).GetProperty("id").GetString()!;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
