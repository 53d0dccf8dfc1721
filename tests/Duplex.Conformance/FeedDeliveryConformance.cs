using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Conformance;

/// <summary>What every feed store must do for consumers, deliveries and retention.</summary>
public abstract class FeedDeliveryConformance(IBed<IFeedStore> bed) : SeamConformance<IFeedStore>(bed)
{
    private IFeedStore Store => Subject;

    [SkippableFact]
    public async Task A_consumer_resumes_where_it_was_and_goes_back_only_when_it_rewinds()
    {
        await FillAsync(10);
        (await Store.ReadConsumerAsync(FeedFacts.Feed, "poller", default)).ShouldBeNull();
        await CommitAsync("poller", 7);
        await CommitAsync("poller", 3);
        (await Store.ReadConsumerAsync(FeedFacts.Feed, "poller", default)).ShouldBe(7);
        await CommitAsync("other", 1);
        await ReopenAsync();
        (await Store.ReadConsumerAsync(FeedFacts.Feed, "poller", default)).ShouldBe(7);
        await CommitAsync("poller", 2, rewind: true);
        (await Store.ReadConsumerAsync(FeedFacts.Feed, "poller", default)).ShouldBe(2);
        await CommitAsync("poller", 0, rewind: true);
        (await Store.ListConsumersAsync(FeedFacts.Feed, default)).OrderBy(static p => p.Key)
            .ShouldBe([new("other", 1), new("poller", 0)]);
    }

    [SkippableFact]
    public async Task Concurrent_commits_of_a_consumer_leave_the_highest()
    {
        await FillAsync(20);
        await Task.WhenAll(Enumerable.Range(1, 20).Select(n => Task.Run(() => CommitAsync("poller", n))));
        (await Store.ReadConsumerAsync(FeedFacts.Feed, "poller", default)).ShouldBe(20);
    }

    [SkippableFact]
    public async Task Consumers_of_one_feed_are_not_those_of_another()
    {
        await FillAsync(5);
        await Store.AcquireAsync("customer-b");
        await CommitAsync("poller", 5);
        (await Store.ReadConsumerAsync("customer-b", "poller", default)).ShouldBeNull();
        (await Store.ListConsumersAsync("customer-b", default)).ShouldBeEmpty();
    }

    [SkippableFact]
    public async Task A_consumer_cannot_acknowledge_what_is_not_there_yet()
    {
        await FillAsync(3);
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => CommitAsync("poller", 4));
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => CommitAsync("poller", -1));
        (await Store.ReadConsumerAsync(FeedFacts.Feed, "poller", default)).ShouldBeNull();
    }

    [SkippableFact]
    public async Task Acknowledged_records_read_as_delivered_since_then_also_after_a_rewind()
    {
        await FillAsync(6);
        var stored = Now();
        Clock.Advance(TimeSpan.FromMinutes(1));
        var first = Now();
        await CommitAsync("one", 2);
        Clock.Advance(TimeSpan.FromMinutes(1));
        var second = Now();
        await CommitAsync("two", 4);
        await CommitAsync("one", 3);
        await CommitAsync("two", 0, rewind: true);
        await ReopenAsync();

        var records = await Store.ReadAsync();
        records.Select(static r => r.Status).ShouldBe([
            FeedStatus.Delivered, FeedStatus.Delivered, FeedStatus.Delivered, FeedStatus.Delivered,
            FeedStatus.Pending, FeedStatus.Pending]);
        records.Select(static r => r.UpdatedMicros).ShouldBe([first, first, second, second, stored, stored]);
        records.ShouldAllBe(r => r.CreatedMicros == stored && r.Attempts == 0);
    }

    [SkippableFact]
    public async Task Deliveries_tell_status_attempts_and_error_of_their_records_alone()
    {
        await FillAsync(5);
        var stored = Now();
        Clock.Advance(TimeSpan.FromMinutes(1));
        await RecordAsync(new FeedDelivery(1, FeedStatus.Delivered, 1, null),
            new FeedDelivery(2, FeedStatus.Pending, 3, "503 Zoë"), new FeedDelivery(4, FeedStatus.Pending, 1, "timeout"));
        Clock.Advance(TimeSpan.FromMinutes(1));
        await RecordAsync(new FeedDelivery(4, FeedStatus.Failed, 8, "gone"));
        await ReopenAsync();

        var records = await Store.ReadAsync();
        records.Select(static r => (r.Status, r.Attempts, r.Error)).ShouldBe([
            (FeedStatus.Delivered, 1, null), (FeedStatus.Pending, 3, "503 Zoë"), (FeedStatus.Pending, 0, null),
            (FeedStatus.Failed, 8, "gone"), (FeedStatus.Pending, 0, null)]);
        records.Select(r => (r.UpdatedMicros - stored) / 60_000_000).ShouldBe([1, 1, 0, 2, 0]);
        (await Store.ReadAsync(after: 3, limit: 1)).ShouldHaveSingleItem().Error.ShouldBe("gone");
    }

    [SkippableFact]
    public async Task An_acknowledgement_delivers_what_was_tried_and_leaves_what_was_given_up()
    {
        await FillAsync(3);
        await RecordAsync(
            new FeedDelivery(1, FeedStatus.Pending, 2, "busy"), new FeedDelivery(2, FeedStatus.Failed, 8, "gone"));
        await CommitAsync("poller", 3);
        (await Store.ReadAsync()).Select(static r => (r.Status, r.Attempts)).ShouldBe([
            (FeedStatus.Delivered, 2), (FeedStatus.Failed, 8), (FeedStatus.Delivered, 0)]);
    }

    [SkippableFact]
    public async Task Deliveries_of_records_that_are_not_there_are_dropped()
    {
        await FillAsync(1);
        await RecordAsync(new FeedDelivery(2, FeedStatus.Failed, 1, "early"), new FeedDelivery(0, FeedStatus.Failed, 1, null));
        await FillAsync(2);
        (await Store.ReadAsync()).ShouldAllBe(static r => r.Status == FeedStatus.Pending);
    }

    [SkippableFact]
    public async Task Old_records_go_and_reading_them_is_an_error_that_names_the_first_offset()
    {
        await FillAsync(4, age: TimeSpan.FromDays(1));
        await RecordAsync(new FeedDelivery(2, FeedStatus.Failed, 1, "gone"));
        await CommitAsync("poller", 2);
        Clock.Advance(TimeSpan.FromHours(23));
        (await Store.ApplyRetentionAsync(default)).ShouldBe(0);
        await FillAsync(7, age: TimeSpan.FromDays(1));
        Clock.Advance(TimeSpan.FromHours(2));
        (await Store.ApplyRetentionAsync(default)).ShouldBe(4, "the other three are young");

        foreach (var after in new long[] { 0, 3 })
        {
            var gap = await Should.ThrowAsync<SyncException>(() => Store.ReadAsync(after).AsTask());
            gap.Error.Code.ShouldBe(ErrorCode.SourceGap);
            gap.Error.Message.ShouldContain("offset 5");
            gap.Error.Suggestion.ShouldNotBeNull();
            (await Should.ThrowAsync<SyncException>(() => Store.ReadAsync(after, table: "users").AsTask()))
                .Error.Code.ShouldBe(ErrorCode.SourceGap);
        }

        await ReopenAsync();
        (await Store.ReadAsync(after: 4)).Texts().ShouldBe(["4", "5", "6"]);
        (await Store.ReadAsync(after: 4, table: "users")).Count.ShouldBe(3);
        var state = await Store.StateAsync();
        (state.FirstOffset, state.LastOffset, state.Bytes).ShouldBe((5, 7, 3 * 8));
        (await Store.ReadConsumerAsync(FeedFacts.Feed, "poller", default)).ShouldBe(2, "it learns of the gap");
    }

    [SkippableFact]
    public async Task Offsets_and_source_offsets_go_on_after_everything_was_removed()
    {
        var epoch = await FillAsync(3, age: TimeSpan.FromDays(1));
        Clock.Advance(TimeSpan.FromDays(2));
        (await Store.ApplyRetentionAsync(default)).ShouldBe(3);
        (await Store.StateAsync()).ShouldBe(new FeedState(FeedFacts.Feed, 4, 3, 0, 0));
        (await Store.AppendAsync(epoch, FeedFacts.Items(0, 3))).ShouldBe(new FeedAppend(3, 3));
        await ReopenAsync();
        (await Store.StateAsync()).ShouldBe(new FeedState(FeedFacts.Feed, 4, 3, 0, 0));
        (await Store.ReadAsync(after: 3)).ShouldBeEmpty();
        epoch = await Store.AcquireAsync();
        (await Store.AppendAsync(epoch, FeedFacts.Items(2, 2))).ShouldBe(new FeedAppend(4, 1));
        (await Store.ReadAllAsync(after: 3)).Texts().ShouldBe(["3"]);
    }

    [SkippableFact]
    public async Task The_oldest_records_go_above_the_size_whatever_consumers_have_read()
    {
        var epoch = await Store.AcquireAsync(bytes: 40);
        await Store.AcquireAsync("customer-b");
        for (var n = 0; n < 9; n++)
        {
            await Store.AppendAsync(epoch, FeedFacts.Items(n, 1));
        }

        await CommitAsync("slow", 1);
        (await Store.ApplyRetentionAsync(default)).ShouldBe(4, "five records of eight bytes fit");
        (await Store.StateAsync()).FirstOffset.ShouldBe(5);
        (await Store.ReadAllAsync(after: 4)).Texts().ShouldBe(["4", "5", "6", "7", "8"]);
        (await Store.ApplyRetentionAsync(default)).ShouldBe(0);
    }

    [SkippableFact]
    public async Task Acquiring_a_feed_anew_changes_its_retention()
    {
        await FillAsync(3);
        Clock.Advance(TimeSpan.FromDays(2));
        (await Store.ApplyRetentionAsync(default)).ShouldBe(0);
        await Store.AcquireAsync(age: TimeSpan.FromDays(1));
        (await Store.ApplyRetentionAsync(default)).ShouldBe(3);
    }

    private async Task<long> FillAsync(int records, TimeSpan? age = null)
    {
        var epoch = await Store.AcquireAsync(age: age);
        for (var n = (int)(await Store.StateAsync()).LastOffset; n < records; n++)
        {
            await Store.AppendAsync(epoch, FeedFacts.Items(n, 1));
        }

        return epoch;
    }

    private async Task CommitAsync(string consumer, long offset, bool rewind = false) =>
        await Store.CommitConsumerAsync(FeedFacts.Feed, consumer, offset, rewind, default);

    private async Task RecordAsync(params FeedDelivery[] deliveries) =>
        await Store.RecordDeliveriesAsync(FeedFacts.Feed, deliveries, default);

    private long Now() => (Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10;
}
