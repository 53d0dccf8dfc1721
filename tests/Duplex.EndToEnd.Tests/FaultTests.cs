using Duplex.Engine.Diagnostics;
using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Simulators.Stripe.Faults;

namespace Duplex.EndToEnd.Tests;

public sealed class FaultTests
{
    [SkippableTheory]
    [InlineData(FaultKind.ErrorBefore)]
    [InlineData(FaultKind.ErrorDuring)]
    [InlineData(FaultKind.ErrorAfter)]
    [InlineData(FaultKind.ResetBefore)]
    [InlineData(FaultKind.ResetAfter)]
    [InlineData(FaultKind.CutBody)]
    [InlineData(FaultKind.RateLimit)]
    [InlineData(FaultKind.LockTimeout)]
    [InlineData(FaultKind.Conflict)]
    public async Task Creates_and_updates_survive_the_fault_without_a_duplicate(FaultKind kind)
    {
        await using var bed = await Bed.CreateAsync();
        await bed.StartAsync();
        await bed.ReadyAsync();
        bed.Stripe.AddFault(
            new FaultRule { Kind = kind, Operation = "POST /v1/customers", Next = 4, RetryAfterSeconds = 1 });
        bed.Stripe.AddFault(
            new FaultRule { Kind = kind, Operation = "POST /v1/customers/{id}", Next = 4, RetryAfterSeconds = 1 });
        await bed.ExecuteAsync(
            "insert into customers (name, email) select 'n' || i, 'c' || i || '@x.org' from generate_series(1, 10) i");
        await bed.UntilAsync(() => bed.StripeCustomers().Count >= 10, "all are created");
        await bed.QuietAsync();
        await bed.ExecuteAsync("update customers set name = name || '!'");
        await bed.UntilAsync(() => bed.StripeCustomers()
            .TrueForAll(c => c.GetProperty("name").GetString()!.EndsWith('!')),
            "all are updated");
        await bed.QuietAsync();
        bed.StripeCustomers().Select(c => c.GetProperty("email").GetString()).Distinct().Count().ShouldBe(10);
        bed.StripeCustomers().Count.ShouldBe(10);
        (await bed.QueryAsync("select count(*) from customers")).ShouldBe(["10"]);
        bed.Stripe.FaultCounts[kind].ShouldBeGreaterThanOrEqualTo(4);
    }

    [SkippableFact]
    public async Task A_record_that_the_sink_refuses_is_parked_and_the_others_go_on()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.StartAsync();
        await bed.ReadyAsync();
        await bed.ExecuteAsync(
            "insert into customers (id, name, email) values (1, 'Bad', 'not an address'), (2, 'Good', 'good@x.org')");
        await bed.UntilAsync(() => bed.StripeHas("good@x.org"), "the good one arrives");
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)).Syncs[0].Legs[0].DeadLetters == 1,
            "the bad one is parked");
        var letter = (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)).Single();
        letter.Key.ShouldBe(RecordKey.Of("1"));
        letter.Error.Code.ShouldBe(ErrorCode.SinkRejected);

        (await bed.Engine.ReplayAsync([letter.Id], default)).ShouldBe(1);
        await bed.UntilAsync(async () =>
            (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)) is [{ } again]
            && again.Id != letter.Id, "it is parked again");
        letter = (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)).Single();
        await bed.StopAsync();
        await bed.StartAsync();
        (await bed.Engine.ReplayAsync([letter.Id], default)).ShouldBe(1, "a leg that is starting is waited for");
        await bed.UntilAsync(async () =>
            (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)) is [{ } later]
            && later.Id != letter.Id, "it is parked once more");
        await bed.ExecuteAsync("update customers set email = 'better@x.org' where id = 1");
        await bed.UntilAsync(() => bed.StripeHas("better@x.org"), "the corrected one arrives");
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)).Syncs[0].Legs[0].DeadLetters == 0,
            "no dead letter is left");
        await bed.QuietAsync();
        bed.StripeCustomers().Count.ShouldBe(2);
    }

    [SkippableFact]
    public async Task Refused_credentials_hold_the_connection_back_and_nothing_is_lost()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.StartAsync();
        await bed.ReadyAsync();
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.Unauthorized, Operation = "POST *" });
        await bed.ExecuteAsync(
            "insert into customers (name, email) select 'n' || i, 'c' || i || '@x.org' from generate_series(1, 20) i");
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)) is { Ready: false } s
            && s.Syncs[0].Legs[0] is { State: RunState.Blocked, Error.Code: ErrorCode.SinkUnauthorized },
                "the leg says so");
        bed.Stripe.ClearFaults();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 20, "all arrive");
        await bed.ReadyAsync();
        await bed.QuietAsync();
        bed.StripeCustomers().Count.ShouldBe(20);
    }

    [SkippableFact]
    public async Task While_nothing_waits_nothing_is_asked_and_what_waits_over_a_restart_is_tried_again()
    {
        await using var bed = await Bed.CreateAsync();
        bed.Calls = new CallCounts();
        long Asked() => bed.Calls.Of("ListDueAsync") + bed.Calls.Of("NextDueAsync");
        await bed.StartAsync();
        await bed.ReadyAsync();
        await bed.QuietAsync();
        var asked = Asked();
        var told = bed.Calls.Of("AdvanceConsumerAsync");
        await bed.UntilAsync(() => bed.Calls.Of("AdvanceConsumerAsync") >= told + 8, "both legs live on for a while");
        Asked().ShouldBe(asked);

        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Operation = "POST /v1/customers" });
        await bed.ExecuteAsync("insert into customers (name, email) values ('Ada', 'ada@x.org')");
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)).Syncs[0].Legs[0].Pending == 1, "it waits");
        await bed.StopAsync();
        bed.Stripe.ClearFaults();
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeHas("ada@x.org"), "it is tried again");
        await bed.QuietAsync();
        bed.StripeCustomers().ShouldHaveSingleItem();
    }

    [SkippableFact]
    public async Task An_edit_of_a_user_that_crosses_ours_in_flight_survives()
    {
        await using var bed = await Bed.CreateAsync();
        var news = NewsGate.Before(bed);
        await bed.ExecuteAsync("insert into customers (name, email, phone) values ('Ada', 'ada@x.org', '1')");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeHas("ada@x.org"), "Ada arrives");
        await bed.QuietAsync();
        var id = bed.StripeCustomer("ada@x.org").GetProperty("id").GetString();
        news.Close();
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{id}", "name=Ada+of+Stripe&phone=2");
        await bed.ExecuteAsync("update customers set name = 'Ada of Postgres'");
        await bed.UntilAsync(() => bed.Stripe.WriteCount >= 2, "our write falls on the edit");
        news.Open();
        await bed.QuietAsync();
        var row = (await bed.QueryAsync("select name || '/' || phone from customers"))[0];
        var customer = bed.StripeCustomer("ada@x.org");
        row.ShouldBe($"{customer.GetProperty("name").GetString()}/{customer.GetProperty("phone").GetString()}");
        row.ShouldEndWith("/2");
        var conflicts = await bed.Engine.Parts.Store.ListConflictsAsync(null, false, 0, 10, default);
        conflicts.ShouldContain(c => c.Rule == "name" && c.ValueA.Contains("Postgres") && c.ValueB.Contains("Stripe"));
    }

    [SkippableFact]
    public async Task Webhooks_that_are_lost_doubled_or_late_leave_both_sides_equal()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.ExecuteAsync(
            "insert into customers (name, email) select 'n' || i, 'c' || i || '@x.org' from generate_series(1, 20) i");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 20, "all arrive");
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookDrop, Probability = 0.3 });
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookDuplicate, Probability = 0.5 });
        bed.Stripe.AddFault(
            new FaultRule { Kind = FaultKind.WebhookReorder, Probability = 0.5, DelayMilliseconds = 1500 });
        var ids = bed.StripeCustomers().Select(c => c.GetProperty("id").GetString()).ToArray();
        for (var round = 0; round < 5; round++)
        {
            foreach (var id in ids)
            {
                bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{id}", $"name=round+{round}");
            }
        }

        foreach (var id in ids[..5])
        {
            bed.Stripe.EditOnDashboard("DELETE", $"/v1/customers/{id}");
        }

        await bed.UntilAsync(async () =>
            (await bed.QueryAsync("select count(*) from customers where name = 'round 4'"))[0] == "15",
            "the last state arrives");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select count(*) from customers"))[0] == "15",
            "the deletes arrive");
        bed.Stripe.FaultCounts.Keys.ShouldContain(FaultKind.WebhookDrop);
        await bed.QuietAsync();
        (await bed.QueryAsync("select count(*) from customers")).ShouldBe(["15"]);
        bed.StripeCustomers().Count.ShouldBe(15);
    }

    [SkippableFact]
    public async Task Edits_of_one_second_whose_news_come_in_reverse_end_at_the_last()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.ExecuteAsync(
            "insert into customers (name, email) select 'n' || i, 'c' || i || '@x.org' from generate_series(1, 10) i");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 10, "all arrive");
        await bed.QuietAsync();
        var ids = bed.StripeCustomers().Select(c => c.GetProperty("id").GetString()).ToArray();
        for (var round = 0; round < 5; round++)
        {
            // Stripe's events tell whole seconds: within one, nothing but the record tells which was the last.
            await bed.UntilAsync(() => DateTimeOffset.UtcNow.Millisecond < 50, "a second begins");
            foreach (var (edit, delay) in new[] { ("a", 0), ("b", 350), ("c", 250), ("d", 150), ("e", 50) })
            {
                bed.Stripe.ClearFaults();
                bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookDelay, DelayMilliseconds = delay });
                foreach (var id in ids)
                {
                    bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{id}", $"name=round+{round}{edit}");
                }
            }

            bed.Stripe.ClearFaults();
            var last = $"round {round}e";
            await bed.UntilAsync(
                async () => (await bed.QueryAsync($"select count(*) from customers where name = '{last}'"))[0] == "10",
                "the last state arrives");
            await bed.QuietAsync();
            (await bed.QueryAsync("select distinct name from customers")).ShouldBe([last]);
            bed.StripeCustomers().ShouldAllBe(c => c.GetProperty("name").GetString() == last);
        }
    }

    [SkippableFact]
    public async Task Records_that_match_several_are_left_to_a_person()
    {
        await using var bed = await Bed.CreateAsync();
        await bed.ExecuteAsync("insert into customers (name, email) values ('Ada', 'ada@x.org'), ('Bob', 'bob@x.org')");
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Ada+1&email=ada@x.org");
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Ada+2&email=ada@x.org");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeHas("bob@x.org"), "Bob arrives");
        await bed.QuietAsync();
        bed.StripeCustomers().Count.ShouldBe(3);
        (await bed.QueryAsync("select count(*) from customers")).ShouldBe(["2"]);
        (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default))
            .ShouldAllBe(l => l.Error.Code == ErrorCode.MatchAmbiguous);
        (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)).Count.ShouldBe(3);
    }

    [SkippableFact]
    public async Task A_mass_delete_stops_at_the_brake_and_goes_on_when_a_person_says_so()
    {
        await using var bed = await Bed.CreateAsync();
        bed.SyncSettings = bed.SyncSettings.Replace("brake: 0", "brake: 5");
        await bed.ExecuteAsync(
            "insert into customers (name, email) select 'n' || i, 'c' || i || '@x.org' from generate_series(1, 20) i");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 20, "all arrive");
        await bed.ExecuteAsync("truncate customers");
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default))
            .Syncs[0].Legs[0].Error?.Code == ErrorCode.BrakeEngaged,
            "the brake engages");
        bed.StripeCustomers().Count.ShouldBe(15);
        (await bed.Engine.ResumeAsync("acme/customers", default)).ShouldBeTrue();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 0, "the rest goes");
        await bed.ReadyAsync();
    }

    [SkippableFact]
    public async Task A_delete_that_is_tried_again_is_one_to_the_brake()
    {
        await using var bed = await Bed.CreateAsync();
        bed.SyncSettings = bed.SyncSettings.Replace("brake: 0", "brake: 2");
        await bed.ExecuteAsync("insert into customers (name, email) values ('Ada', 'ada@x.org'), ('Bob', 'bob@x.org')");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 2, "both arrive");
        await bed.QuietAsync();
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Operation = "DELETE /v1/customers/{id}", Next = 4 });
        await bed.ExecuteAsync("delete from customers");
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 0, "both are deleted");
        bed.Stripe.FaultCounts[FaultKind.ErrorBefore].ShouldBe(4);
        await bed.QuietAsync();
    }
}
