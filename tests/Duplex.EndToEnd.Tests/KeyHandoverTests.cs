using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Simulators.Stripe.Faults;

namespace Duplex.EndToEnd.Tests;

/// <summary>A key or a unique value that a delete has freed, and that another record takes while the delete still waits.</summary>
public sealed class KeyHandoverTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    private static readonly LegId FromPostgres = new("acme/customers", Side.A);
    private static readonly LegId FromStripe = new("acme/customers", Side.B);

    [SkippableFact]
    public async Task A_row_that_moves_to_the_key_of_a_row_whose_delete_waits_keeps_its_own_partner()
    {
        await using var bed = await StartAsync("(1, 'Ada', 'ada@x.org'), (2, 'Bob', 'bob@x.org'), (3, 'Cy', 'cy@x.org')");
        var (bob, cy) = (Id(bed, "bob@x.org"), Id(bed, "cy@x.org"));
        HoldDeletes(bed);
        await bed.ExecuteAsync("delete from customers where id = 1");
        await PendsAsync(bed, FromPostgres, "1");
        await bed.ExecuteAsync("update customers set id = 1 where id = 2");
        await bed.ExecuteAsync("update customers set name = 'Bob B.' where id = 1");
        await bed.UntilAsync(() => Name(bed, bob) == "Bob B.", "the row goes on with its partner while the delete waits");

        // Once more: the key is freed again and taken again, while both deletes wait.
        await bed.ExecuteAsync("delete from customers where id = 1");
        await PendsAsync(bed, FromPostgres, "1");
        await bed.ExecuteAsync("update customers set id = 1, name = 'Cy C.' where id = 3");
        await bed.UntilAsync(() => Name(bed, cy) == "Cy C.", "so does the next");
        bed.StripeCustomers().Count.ShouldBe(3);
        bed.Stripe.ClearFaults();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 1, "both deletes arrive");
        await EndsEqualAsync(bed);
        Id(bed, "cy@x.org").ShouldBe(cy);
    }

    [SkippableFact]
    public async Task A_row_under_the_key_of_one_whose_delete_waits_is_another_record_though_the_deletes_answer_was_lost()
    {
        await using var bed = await StartAsync("(1, 'Ada', 'ada@x.org')");
        var ada = Id(bed, "ada@x.org");
        HoldDeletes(bed, FaultKind.ResetAfter);
        await bed.ExecuteAsync("delete from customers where id = 1; insert into customers (id, name, email) values (1, 'New', 'new@x.org')");
        await bed.UntilAsync(() => bed.StripeHas("new@x.org"), "the new row gets a customer of its own");
        bed.Stripe.ClearFaults();
        await EndsEqualAsync(bed);
        (await bed.QueryAsync("select name from customers")).ShouldBe(["New"]);
        Id(bed, "new@x.org").ShouldNotBe(ada);
    }

    [SkippableFact]
    public async Task A_delete_that_waits_for_a_person_is_not_overruled_by_a_new_row_under_its_key()
    {
        await using var bed = await postgres.BedAsync();
        bed.SyncSettings = bed.SyncSettings.Replace("deletes: { a: propagate", "deletes: { a: manual");
        await StartAsync(bed, "(1, 'Ada', 'ada@x.org')");
        var ada = Id(bed, "ada@x.org");
        await bed.ExecuteAsync("delete from customers where id = 1");
        await bed.UntilAsync(async () => (await LettersAsync(bed)).Count == 1, "a person is asked");
        await bed.ExecuteAsync("insert into customers (id, name, email) values (1, 'New', 'new@x.org')");
        await bed.UntilAsync(() => bed.StripeHas("new@x.org"), "the new row gets a customer of its own");
        await bed.QuietAsync();
        Name(bed, ada).ShouldBe("Ada");
        var letter = (await LettersAsync(bed)).ShouldHaveSingleItem();
        letter.Error.Code.ShouldBe(ErrorCode.ConflictManual);
        (await bed.Engine.ReplayAsync([letter.Id], default)).ShouldBe(1);
        await bed.UntilAsync(() => !bed.StripeHas("ada@x.org"), "the person lets the delete pass");
        await EndsEqualAsync(bed);
    }

    [SkippableFact]
    public async Task A_row_does_not_pair_with_what_a_create_in_doubt_made_for_a_row_that_is_deleted()
    {
        await using var bed = await StartAsync("(9, 'Zoe', 'zoe@x.org')");
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.ResetAfter, Operation = "POST /v1/customers", Next = 1 });
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Status = 503, Operation = "POST /v1/customers" });
        await bed.ExecuteAsync("insert into customers (id, name, email) values (1, 'Ada', 'ada@x.org')");
        await PendsAsync(bed, FromPostgres, "1");
        var ada = Id(bed, "ada@x.org");

        // Told with the create, the customer is known to be ours; a snapshot of later seconds does not tell that.
        var later = bed.StripeCustomer("ada@x.org").GetProperty("created").GetInt64() + 3;
        await bed.UntilAsync(() => DateTimeOffset.UtcNow.ToUnixTimeSeconds() > later, "the clock moves on");
        (await bed.Engine.ResnapshotAsync("acme", "billing", default)).ShouldBeTrue();
        await bed.UntilAsync(async () => (await bed.Engine.Parts.Store.FindCandidatesAsync(
            "acme/customers", Side.B, "ada@x.org", 2, default)).Count == 1, "the customer waits for a partner");
        await bed.ExecuteAsync("delete from customers where id = 1");
        await bed.ExecuteAsync("insert into customers (id, name, email) values (2, 'Ada 2', 'ada@x.org')");
        await PendsAsync(bed, FromPostgres, "2");
        bed.Stripe.ClearFaults();
        await EndsEqualAsync(bed);
        bed.StripeCustomers().Count.ShouldBe(2);
        Id(bed, "ada@x.org").ShouldNotBe(ada);
    }

    [SkippableFact]
    public async Task A_customer_with_the_unique_value_of_one_whose_delete_waits_follows_that_delete()
    {
        await using var bed = await StartAsync("(101, 'Ada', 'ada@x.org'), (102, 'Bob', 'bob@x.org')");
        await HoldOurDeletesAsync(bed);
        bed.Stripe.EditOnDashboard("DELETE", $"/v1/customers/{Id(bed, "ada@x.org")}");
        await bed.UntilAsync(async () => (await DueAsync(bed, FromStripe)).Exists(static p => p.Error?.Code == ErrorCode.SinkBusy),
            "the delete waits");
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Ada+2&email=ada@x.org");
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{Id(bed, "bob@x.org")}", "email=ada@x.org&name=Ada+3");
        await bed.UntilAsync(async () => (await DueAsync(bed, FromStripe)).Count(static p => p.Attempts > 10) >= 2
            || (await LettersAsync(bed)).Count > 0, "the others have waited for longer than a value is waited for that nobody frees");
        (await LettersAsync(bed)).ShouldBeEmpty();
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{bed.StripeCustomers().Single(c => Sides.Text(c, "name") == "Ada 3").GetProperty("id")}",
            "email=bob@x.org");
        await bed.ExecuteAsync("drop trigger hold on customers");
        await EndsEqualAsync(bed);
        (await bed.QueryAsync("select name from customers order by email")).ShouldBe(["Ada 2", "Ada 3"]);
    }

    [SkippableFact]
    public async Task A_customer_under_the_natural_key_of_one_whose_delete_waits_follows_that_delete()
    {
        await using var bed = await NaturalKeyAsync();
        await HoldOurDeletesAsync(bed);
        var ada = Id(bed, "ada@x.org");
        bed.Stripe.EditOnDashboard("DELETE", $"/v1/customers/{ada}");
        await PendsAsync(bed, FromStripe, ada);
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Ada+2&email=ada@x.org");
        await PendsAsync(bed, FromStripe, Id(bed, "ada@x.org"));
        await bed.ExecuteAsync("drop trigger hold on customers");
        await EndsEqualAsync(bed);
        (await bed.QueryAsync("select name from customers where email = 'ada@x.org'")).ShouldBe(["Ada 2"]);
    }

    [SkippableFact]
    public async Task A_natural_key_whose_row_a_user_deleted_first_goes_to_the_next_customer_and_the_delete_that_waits_spares_it()
    {
        await using var bed = await NaturalKeyAsync();
        await HoldOurDeletesAsync(bed);
        HoldDeletes(bed);
        await bed.ExecuteAsync("delete from customers where email = 'ada@x.org'");
        await PendsAsync(bed, FromPostgres, "ada@x.org");
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Ada+2&email=ada@x.org");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select name from customers where email = 'ada@x.org'")).Contains("Ada 2"),
            "the next customer's row is made");
        bed.Stripe.ClearFaults();
        await EndsEqualAsync(bed);
        bed.StripeCustomers().Count.ShouldBe(2);

        // And again when nothing waits any more, and only the memory of the deleted pair holds the key.
        bed.Stripe.EditOnDashboard("DELETE", $"/v1/customers/{Id(bed, "ada@x.org")}");
        await bed.ExecuteAsync("drop trigger hold on customers");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select 1 from customers")).Count == 1, "the row is deleted");
        await bed.QuietAsync();
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Ada+3&email=ada@x.org");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select name from customers where email = 'ada@x.org'")).Contains("Ada 3"),
            "the third one's row is made");
        await EndsEqualAsync(bed);
    }

    private async Task<Bed> StartAsync(string rows)
    {
        var bed = await postgres.BedAsync();
        await StartAsync(bed, rows);
        return bed;
    }

    private static async Task StartAsync(Bed bed, string rows)
    {
        await bed.ExecuteAsync($"insert into customers (id, name, email) values {rows}");
        await bed.StartAsync();
        await bed.ConvergeAsync();
    }

    /// <summary>A running bed whose rows have the address for their key.</summary>
    private async Task<Bed> NaturalKeyAsync()
    {
        var bed = await postgres.BedAsync();
        await bed.ExecuteAsync("""
            drop table customers;
            create table customers (email text primary key, name text, phone text, plan text, balance_eur numeric(12,2) default 0);
            alter table customers replica identity full;
            insert into customers (email, name) values ('ada@x.org', 'Ada'), ('bob@x.org', 'Bob')
            """);
        await bed.StartAsync();
        await bed.ConvergeAsync();
        return bed;
    }

    /// <summary>Stripe takes no deletes, or takes them and tells nobody.</summary>
    private static void HoldDeletes(Bed bed, FaultKind kind = FaultKind.ErrorBefore) =>
        bed.Stripe.AddFault(new FaultRule { Kind = kind, Status = 503, Operation = "DELETE /v1/customers/{id}" });

    /// <summary>PostgreSQL puts our deletes off, and nobody else's.</summary>
    private static Task HoldOurDeletesAsync(Bed bed) => bed.ExecuteAsync("""
        create function hold() returns trigger language plpgsql as $$ begin
            if current_setting('duplex.origin', true) <> '' then raise exception 'not now' using errcode = '40001'; end if;
            return old; end $$;
        create trigger hold before delete on customers for each row execute function hold()
        """);

    private static Task PendsAsync(Bed bed, LegId leg, string key) => bed.UntilAsync(
        async () => (await bed.Engine.Parts.Store.FindPendingAsync(leg, [RecordKey.Of(key)], default))[0] is not null, $"{key} waits");

    private static async Task<List<Pending>> DueAsync(Bed bed, LegId leg) =>
        [.. await bed.Engine.Parts.Store.ListDueAsync(leg, long.MaxValue, 10, default)];

    private static async Task<IReadOnlyList<DeadLetter>> LettersAsync(Bed bed) =>
        await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default);

    private static async Task EndsEqualAsync(Bed bed)
    {
        await bed.ConvergeAsync(120);
        (await LettersAsync(bed)).ShouldBeEmpty();
        var live = await bed.Engine.Parts.Store.CountLinksAsync("acme/customers", LinkState.Live, default);
        live.ShouldBe(bed.StripeCustomers().Count);
    }

    private static string Id(Bed bed, string email) => bed.StripeCustomer(email).GetProperty("id").GetString()!;

    private static string Name(Bed bed, string id) =>
        Sides.Text(bed.StripeCustomers().Single(c => c.GetProperty("id").GetString() == id), "name");
}
