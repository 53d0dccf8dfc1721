using System.Globalization;
using Duplex.Engine.Diagnostics;
using Duplex.Sdk;
using Duplex.Simulators.Stripe.Faults;

namespace Duplex.EndToEnd.Tests;

/// <summary>A sink that is away, refuses some of a batch, or changes what it is given.</summary>
public sealed class SinkFaultTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    [SkippableFact]
    public async Task While_the_sink_is_down_the_slot_keeps_moving_and_then_both_sides_are_equal()
    {
        await using var bed = await postgres.BedAsync();
        bed.ShopSettings = "heartbeat: 1s";
        await bed.ExecuteAsync(
            "insert into customers (name, email) select 'n' || i, 'c' || i || '@x.org' from generate_series(1, 20) i");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 20, "all arrive");
        await bed.QuietAsync();
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Status = 503, Operation = "POST *" });
        for (var round = 1; round <= 6; round++)
        {
            await bed.ExecuteAsync($"""
                insert into customers (name, email, note)
                    select 'r{round}', 'r{round}-' || i || '@x.org', repeat('x', 5000) from generate_series(1, 50) i;
                update customers set name = 'u{round}' where id <= 20
                """);
            var written = (await bed.QueryAsync("select pg_current_wal_lsn()::text"))[0];
            await bed.UntilAsync(async () => (await bed.QueryAsync(
                $"select confirmed_flush_lsn >= '{written}' from pg_replication_slots where database = current_database()"))[0]
                == "True", "the slot moves");
        }

        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)) is { Ready: false } s
            && s.Syncs[0].Legs[0] is { Error.Code: ErrorCode.SinkUnavailable or ErrorCode.SinkFailed, State: not RunState.Running },
            "the leg says so");
        await bed.UntilAsync(() => bed.Stripe.FaultCounts[FaultKind.ErrorBefore] > 5, "it tries again");
        bed.StripeCustomers().Count.ShouldBe(20);
        bed.Stripe.ClearFaults();
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(320);
        await bed.ReadyAsync();
    }

    [SkippableFact]
    public async Task A_log_at_its_bound_holds_the_source_back_and_goes_on_when_the_sink_has_caught_up()
    {
        await using var bed = await postgres.BedAsync();
        bed.ShopSettings = "heartbeat: 1s";
        bed.SyncSettings += "\nretention: { log_bytes: 1MB, log_age: 1s }";
        await bed.StartAsync();
        await bed.ReadyAsync();
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Status = 503, Operation = "POST *" });
        await bed.ExecuteAsync("""
            insert into customers (name, email, note)
            select 'n', 'c' || i || '@x.org', repeat('x', 20000) from generate_series(1, 200) i
            """);
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)).Connections
            .Single(static c => c.Name == "shop") is { Error.Code: ErrorCode.StorageFull }, "the log's bound is told");
        bed.StripeCustomers().ShouldBeEmpty();
        bed.Stripe.ClearFaults();
        await bed.UntilAsync(async () =>
        {
            await bed.Engine.Parts.Log.ApplyRetentionAsync(default);
            return bed.StripeCustomers().Count == 200;
        }, "all arrive");
        await bed.ConvergeAsync();
        await bed.ReadyAsync();
    }

    [SkippableFact]
    public async Task A_unique_value_that_changes_hands_arrives_in_whichever_order_the_two_records_come()
    {
        await using var bed = await postgres.BedAsync();
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Ada&email=ada@x.org");
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Bob&email=bob@x.org");
        await bed.StartAsync();
        await bed.ConvergeAsync();
        var (ada, bob) = (Id(bed, "ada@x.org"), Id(bed, "bob@x.org"));
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{bob}", "email=ada@x.org");
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)).Syncs[0].Legs[1] is { Pending: 1, Failed: > 0 },
            "the row that has it stands in the way");
        (await bed.QueryAsync("select email from customers order by 1")).ShouldBe(["ada@x.org", "bob@x.org"]);
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{ada}", "email=countess@x.org");
        await bed.ConvergeAsync();
        (await bed.QueryAsync("select name || email from customers order by 1"))
            .ShouldBe(["Adacountess@x.org", "Bobada@x.org"]);
        (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)).ShouldBeEmpty();
    }

    private static string Id(Bed bed, string email) => bed.StripeCustomer(email).GetProperty("id").GetString()!;

    [SkippableFact]
    public async Task Bad_records_among_many_are_parked_and_every_other_is_written_once()
    {
        await using var bed = await postgres.BedAsync();
        await bed.ExecuteAsync("""
            alter table customers add constraint no_bad check (name not like 'bad%');
            create table writes (id bigint);
            create function count_writes() returns trigger language plpgsql as
                $$ begin insert into writes values (new.id); return new; end $$;
            create trigger count_writes after insert or update on customers for each row execute function count_writes()
            """);
        await bed.StartAsync();
        await bed.ReadyAsync();
        bed.Stripe.Seed(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(1, 200).Select(static i =>
            $$"""{"name":"{{(i % 40 == 0 ? "bad" : "n")}}{{i}}","email":"c{{i}}@x.org"}"""))), events: true);
        await bed.UntilAsync(async () => (await bed.QueryAsync("select count(*) from customers"))[0] == "195",
            "the good ones arrive");
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)).Syncs[0].Legs.Sum(static l => l.DeadLetters) == 5,
            "the bad ones are parked");
        await bed.QuietAsync();
        (await bed.QueryAsync("select count(*) from writes")).ShouldBe(["195"]);
        var letters = await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default);
        letters.ShouldAllBe(static l => l.Error.Code == ErrorCode.SinkRejected);

        await bed.ExecuteAsync("alter table customers drop constraint no_bad");
        (await bed.Engine.ReplayAsync([.. letters.Select(static l => l.Id)], default)).ShouldBe(5);
        await bed.ConvergeAsync();
        (await bed.QueryAsync("select count(*) from writes")).ShouldBe(["200"]);
        (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)).ShouldBeEmpty();
    }

    [SkippableFact]
    public async Task A_sink_that_changes_what_it_is_given_is_written_once_per_edit_and_nothing_goes_round()
    {
        await using var bed = await postgres.BedAsync();
        await bed.ExecuteAsync("""
            create table writes (id bigint);
            create function tidy() returns trigger language plpgsql as $$ begin
                new.name = upper(trim(new.name)); insert into writes values (new.id); return new; end $$;
            create trigger tidy before insert or update on customers for each row execute function tidy()
            """);
        await bed.StartAsync();
        await bed.ReadyAsync();
        for (var i = 0; i < 10; i++)
        {
            bed.Stripe.EditOnDashboard("POST", "/v1/customers", Invariant($"name=ada {i}&email=c{i}@x.org"));
        }

        await bed.UntilAsync(async () => (await bed.QueryAsync("select count(*) from customers"))[0] == "10", "all arrive");
        await bed.QuietAsync();
        (await bed.QueryAsync("select name from customers where email = 'c3@x.org'")).ShouldBe(["ADA 3"]);
        Name(bed).ShouldBe("ada 3");
        foreach (var customer in bed.StripeCustomers())
        {
            bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{customer.GetProperty("id").GetString()}", "name=bob");
        }

        await bed.UntilAsync(async () =>
            (await bed.QueryAsync("select count(*) from customers where name = 'BOB'"))[0] == "10", "the edit arrives");
        await bed.QuietAsync();
        (await bed.Engine.ResnapshotAsync("acme", "shop", default)).ShouldBeTrue();
        await bed.ReadyAsync();
        await bed.QuietAsync();
        Name(bed).ShouldBe("bob");
        bed.Stripe.WriteCount.ShouldBe(0);
        (await bed.QueryAsync("select count(*) from writes")).ShouldBe(["20"]);

        await bed.ExecuteAsync("update customers set phone = '5' where email = 'c3@x.org'");
        await bed.UntilAsync(() => bed.StripeCustomer("c3@x.org").GetProperty("phone").GetString() == "5", "another field");
        Name(bed).ShouldBe("bob");
        await bed.ExecuteAsync("update customers set name = ' cy ' where email = 'c3@x.org'");
        await bed.UntilAsync(() => Name(bed) == "CY", "the other direction");
        await bed.QuietAsync();
        bed.Stripe.WriteCount.ShouldBe(2);
        (await bed.QueryAsync("select count(*) from writes")).ShouldBe(["22"]);
    }

    private static string? Name(Bed bed) => bed.StripeCustomer("c3@x.org").GetProperty("name").GetString();

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
