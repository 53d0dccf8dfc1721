namespace Duplex.EndToEnd.Tests;

/// <summary>A sync in both directions whose change log is on Kafka.</summary>
[Collection(KafkaCollection.Name)]
public sealed class KafkaSyncTests(SharedKafka kafka)
{
    /// <summary>An update changes but a few rows, however long the load lasts: what waits grows with the time and not with its
    /// square.</summary>
    private const string Newest = "(select max(id) - 30 from customers)";

    [SkippableFact]
    public async Task Edits_of_both_sides_go_over_also_those_made_while_the_engine_is_stopped()
    {
        await using var bed = await BedAsync();
        await bed.ExecuteAsync("insert into customers (name, email) values ('Ada', 'ada@x.org'), ('Bob', 'bob@x.org')");
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Cleo&email=cleo@x.org");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeHas("bob@x.org"), "Bob arrives at Stripe");
        await bed.UntilAsync(async () =>
            (await bed.QueryAsync("select name from customers where email = 'cleo@x.org'")).Count == 1, "Cleo arrives at PostgreSQL");
        await bed.ConvergeAsync();
        var writes = bed.Stripe.WriteCount;
        await bed.ExecuteAsync("update customers set name = 'Ada L.', balance_eur = 3.5 where email = 'ada@x.org'");
        EditAtStripe(bed, "cleo@x.org", "phone=555");
        await bed.ConvergeAsync();
        (bed.Stripe.WriteCount - writes).ShouldBe(1, "one edit makes one write, and no echo another");

        await bed.StopAsync();
        await bed.ExecuteAsync("update customers set name = 'Bob B.' where email = 'bob@x.org'; delete from customers where email = 'ada@x.org'");
        EditAtStripe(bed, "cleo@x.org", "name=Cleopatra");
        await bed.StartAsync();
        await bed.UntilAsync(() => Sides.Text(bed.StripeCustomer("bob@x.org"), "name") == "Bob B.", "A to B");
        await bed.UntilAsync(async () =>
            (await bed.QueryAsync("select name from customers where email = 'cleo@x.org'"))[0] == "Cleopatra", "B to A");
        await bed.UntilAsync(() => !bed.StripeHas("ada@x.org"), "the delete");
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(2);
    }

    [SkippableFact]
    public async Task A_broker_that_is_killed_under_load_leaves_both_sides_equal()
    {
        await using var bed = await BedAsync();
        await bed.ExecuteAsync("""
            insert into customers (name, email, plan)
            select 'old ' || n, 'old' || n || '@x.org', 'free' from generate_series(1, 100) n
            """);
        await bed.StartAsync();
        await bed.ReadyAsync();
        using var stop = new CancellationTokenSource();
        var writers = Task.WhenAll(WriteAsync(bed, stop.Token), EditAsync(bed, stop.Token));
        var enough = bed.StripeCustomers().Count + 25;
        await bed.UntilAsync(() => bed.StripeCustomers().Count >= enough, "some arrive");
        await kafka.Broker.KillAsync();
        await bed.ExecuteAsync("insert into customers (name, email) values ('meanwhile', 'down@x.org')");
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=meanwhile&email=there@x.org");
        await kafka.Broker.StartAsync();
        await bed.UntilAsync(() => bed.StripeHas("down@x.org"), "what came meanwhile arrives");
        await stop.CancelAsync();
        await writers;
        await bed.ConvergeAsync();
        await bed.ReadyAsync();
        bed.StripeHas("there@x.org").ShouldBeTrue();
    }

    private async Task<Bed> BedAsync()
    {
        SharedKafka.Require();
        var prefix = SharedKafka.Prefix();
        var bed = await Bed.CreateAsync();
        bed.OpenLog = () => kafka.OpenAsync(prefix);
        return bed;
    }

    private static void EditAtStripe(Bed bed, string email, string form) =>
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{Sides.Text(bed.StripeCustomer(email), "id")}", form);

    private static async Task WriteAsync(Bed bed, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var n = 0; !stop.IsCancellationRequested; n++)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            await bed.ExecuteAsync((n % 10) switch
            {
                < 4 => $"insert into customers (name, email) values ('n{n}', 'c{n}@x.org')",
                < 9 => $"update customers set name = 'u{n}', balance_eur = {n % 50} where id % 7 = {n % 7} and id > {Newest}",
                _ => $"delete from customers where email = 'c{n - 8}@x.org'",
            });
        }
    }

    private static async Task EditAsync(Bed bed, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var n = 0; !stop.IsCancellationRequested; n++)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            if (n % 3 == 0)
            {
                bed.Stripe.EditOnDashboard("POST", "/v1/customers", $"name=s{n}&email=s{n}@x.org&metadata[plan]=P");
            }
            else if (bed.StripeHas($"old{n % 100}@x.org"))
            {
                EditAtStripe(bed, $"old{n % 100}@x.org", $"phone={n}");
            }
        }
    }
}
