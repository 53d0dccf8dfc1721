using System.Text.Json;
using Duplex.Conformance;
using Duplex.Engine.Config;
using Duplex.Engine.Diagnostics;
using Duplex.Sdk;

namespace Duplex.Feeds.Tests;

/// <summary>From the log to the feeds of customers.</summary>
public sealed class CustomerTests
{
    private const string Names = "rules: [ { a: id, b: id }, { a: name, b: fullName } ]";

    [Fact]
    public async Task Each_customer_gets_its_tables_in_its_own_form()
    {
        await using var bed = new FeedBed();
        bed.Customer("customer-a", tables: ("users", Names));
        bed.Customer("customer-b", tables: [("users", "rules: [ { b: type, via: { constant: user } }, { a: id, b: userId } ]"), ("orders", Names)]);
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "Ada"));
        await bed.UntilAsync("customer-a", 1);
        await bed.UntilAsync("customer-b", 1);
        await bed.PostAsync("orders", (7, "Book"));
        await bed.UntilAsync("customer-b", 2);
        (await bed.ReadAsync("customer-a")).ShouldBe(["""1 users {"id":1,"fullName":"Ada"}"""]);
        (await bed.ReadAsync("customer-b")).ShouldBe(
            ["""1 users {"type":"user","userId":1}""", """2 orders {"id":7,"fullName":"Book"}"""]);
    }

    [Fact]
    public async Task A_restart_goes_on_where_it_was_and_doubles_nothing()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        for (var round = 0; round < 4; round++)
        {
            await bed.PostAsync("users", [.. Enumerable.Range(round * 250, 250).Select(static i => (i, "n"))]);
            await bed.UntilAsync("c", (round * 250) + 100);
            await bed.StopAsync();
            await bed.StartAsync();
        }

        await bed.UntilAsync("c", 1000);
        var feed = await bed.Feeds.ReadAsync("c", 0, 1000, null, default);
        feed.Select(static r => r.Offset).ShouldBe(Enumerable.Range(1, 1000).Select(static i => (long)i));
        feed.Select(static r => System.Text.Encoding.UTF8.GetString(r.Key.Span)).Distinct().Count().ShouldBe(1000);
        (await bed.StatusAsync("c")).LastOffset.ShouldBe(1000);
    }

    [Fact]
    public async Task A_log_that_does_not_reach_what_was_read_stops_its_customers_until_the_right_one_is_back()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        bed.Customer("other", tables: ("orders", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "Ada"), (2, "Bob"), (3, "Cleo"));
        await bed.UntilAsync("c", 3);
        await bed.StopAsync();
        bed.PutLogAside();
        await bed.StartAsync();

        await Eventually.BecomesAsync(async () => (await bed.StatusAsync("c")).State == RunState.Blocked);
        var error = (await bed.StatusAsync("c")).Error.ShouldNotBeNull();
        error.Code.ShouldBe(ErrorCode.StorageUnreadable);
        error.Message.ShouldContain("users");
        error.Suggestion.ShouldNotBeNull();
        await bed.PostAsync("users", (4, "Dan"));
        await bed.PostAsync("orders", (1, "Book"));
        await bed.UntilAsync("other", 1);
        await bed.StopAsync();
        await bed.StartAsync();
        await bed.PostAsync("users", [.. Enumerable.Range(1, 30).Select(static i => (i, "later"))]);
        await bed.StopAsync();
        await bed.StartAsync();
        await Eventually.BecomesAsync(async () => (await bed.StatusAsync("c")).State == RunState.Blocked);
        (await bed.StatusAsync("c")).Error.ShouldNotBeNull().Message.ShouldContain("has grown since");
        (await bed.ReadAsync("c")).Count.ShouldBe(3, "nothing that the other log takes goes by in silence");

        await bed.StopAsync();
        bed.PutLogBack();
        await bed.StartAsync();
        await bed.PostAsync("users", (5, "Eve"));
        await bed.UntilAsync("c", 4);
        (await bed.ReadAsync("c"))[3].ShouldContain("Eve");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_longer_log_than_the_one_that_was_read_stops_its_customers_until_the_right_one_is_back(bool isFirstFormat)
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "Ada"), (2, "Bob"), (3, "Cleo"));
        await bed.UntilAsync("c", 3);
        await bed.StopAsync();
        if (isFirstFormat)
        {
            // A data directory in which no log was noted: the first start notes the one that it finds.
            await bed.ForgetAsync("log:");
            await bed.StartAsync();
            await bed.PostAsync("users", (4, "Dan"));
            await bed.UntilAsync("c", 4);
            await bed.StopAsync();
        }

        var given = isFirstFormat ? 4 : 3;
        bed.PutLogAside();
        await bed.AppendToLogAsync("users", [.. Enumerable.Range(1, 60).Select(static i => (i, "another log's"))]);
        for (var round = 0; round < 2; round++)
        {
            await bed.StartAsync();
            await Eventually.BecomesAsync(async () => (await bed.StatusAsync("c")).State == RunState.Blocked);
            var error = (await bed.StatusAsync("c")).Error.ShouldNotBeNull();
            error.Code.ShouldBe(ErrorCode.StorageUnreadable);
            error.Message.ShouldContain("that was the log ");
            error.Suggestion.ShouldNotBeNull().ShouldContain("the log that it had");
            await bed.StopAsync();
        }

        bed.PutLogBack();
        await bed.StartAsync();
        await bed.PostAsync("users", (5, "Eve"));
        await bed.UntilAsync("c", given + 1);
        (await bed.ReadAsync("c"))[given].ShouldContain("Eve");
        (await bed.ReadAsync("c")).Count.ShouldBe(given + 1);
    }

    [Fact]
    public async Task Records_of_two_tables_with_one_key_are_parked_and_come_through_each_for_itself()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", null, FeedBed.SchemaWithout("bad"), ("users", Names), ("orders", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "bad"), (2, "bad"));
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().DeadLetters == 2);
        await bed.PostAsync("orders", (1, "bad"), (2, "good"));
        await bed.UntilAsync("c", 1);
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult() is { Behind: 0, DeadLetters: 3 });
        await bed.PostAsync("users", (1, "good"));
        await bed.UntilAsync("c", 2);
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult() is { Behind: 0, DeadLetters: 2 });
        (await bed.Engine.Parts.Store.ListDeadLettersAsync("default/c", 0, 10, default))
            .Select(static l => $"{l.Stream} {l.Key.Json}").Order(StringComparer.Ordinal)
            .ShouldBe(["orders [\"1\"]", "users [\"2\"]"]);
    }

    [Fact]
    public async Task Changes_of_a_record_keep_their_order()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        for (var version = 0; version < 20; version++)
        {
            await bed.PostAsync("users", [.. Enumerable.Range(0, 50).Select(i => (i, $"v{version:D2}"))]);
        }

        await bed.UntilAsync("c", 1000);
        var feed = await bed.Feeds.ReadAsync("c", 0, 1000, null, default);
        foreach (var record in feed.GroupBy(static r => System.Text.Encoding.UTF8.GetString(r.Key.Span)))
        {
            var versions = record.Select(static r => JsonElement.Parse(r.Data.Span).GetProperty("fullName").GetString()).ToList();
            versions.ShouldBe([.. versions.Order(StringComparer.Ordinal)]);
            versions.Count.ShouldBe(20);
        }
    }

    [Fact]
    public async Task A_new_customer_begins_where_it_says()
    {
        await using var bed = new FeedBed();
        bed.Customer("old", tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "before"));
        await bed.UntilAsync("old", 1);
        await bed.StopAsync();
        var now = TimeProvider.System.GetUtcNow();
        bed.Customer("latest", tables: ("users", Names));
        bed.Customer("earliest", new FeedStart(FeedStartKind.Earliest), tables: ("users", Names));
        bed.Customer("time", new FeedStart(FeedStartKind.Time, now), tables: ("users", Names));
        bed.Customer("past", new FeedStart(FeedStartKind.Time, now.AddHours(-1)), tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", (2, "after"));
        foreach (var (customer, count) in new[] { ("latest", 1), ("earliest", 2), ("time", 1), ("past", 2), ("old", 2) })
        {
            await bed.UntilAsync(customer, count);
            (await bed.ReadAsync(customer)).Count.ShouldBe(count, customer);
        }

        await bed.StopAsync();
        await bed.StartAsync();
        await bed.PostAsync("users", (3, "again"));
        await bed.UntilAsync("latest", 2);
        (await bed.ReadAsync("latest")).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_record_that_the_schema_refuses_is_parked_alone_and_comes_through_when_it_is_replayed()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", null, FeedBed.SchemaWithout("bad"), ("users", Names));
        bed.Customer("other", tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "bad"), (2, "good"), (3, "bad"));
        await bed.UntilAsync("other", 3);
        await bed.UntilAsync("c", 1);
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().DeadLetters == 2);
        var letters = await bed.Engine.Parts.Store.ListDeadLettersAsync("default/c", 0, 10, default);
        letters.Count.ShouldBe(2);
        letters.ShouldAllBe(static l => l.Error.Code == ErrorCode.MappingFailed);
        letters[0].Error.Message.ShouldBe("Output validation failed for c users: Validation failed: 'bad' should not be valid under {'const': 'bad'}");

        await bed.PostAsync("users", (3, "better"));
        await bed.UntilAsync("c", 2);
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().DeadLetters == 1);
        var left = (await bed.Engine.Parts.Store.ListDeadLettersAsync("default/c", 0, 10, default)).Single();
        left.Key.ShouldBe(RecordKey.Of("1"), "the younger state of 3 has come through");
        (await bed.Engine.ReplayAsync([left.Id], default)).ShouldBe(0);
        await bed.StopAsync();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().State == RunState.Running);
        (await bed.Engine.ReplayAsync([left.Id], default)).ShouldBe(1);
        (await bed.ReadAsync("c")).Last().ShouldBe("""3 users {"id":1,"fullName":"bad"}""");
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().DeadLetters == 0);
    }

    [Fact]
    public async Task A_paused_customer_stands_still_over_a_restart_and_others_go_on()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        bed.Customer("other", tables: ("users", Names));
        await bed.StartAsync();
        (await bed.Engine.Customers.PauseAsync("c", default)).ShouldBeTrue();
        await bed.StopAsync();
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "Ada"));
        await bed.UntilAsync("other", 1);
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult() is
            { State: RunState.Paused, LastOffset: 0, Behind: 1 });
        (await bed.Engine.Customers.ResumeAsync("c", default)).ShouldBeTrue();
        await bed.UntilAsync("c", 1);
        (await bed.Engine.Customers.PauseAsync("nobody", default)).ShouldBeFalse();
    }
}
