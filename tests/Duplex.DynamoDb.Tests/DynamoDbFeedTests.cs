using Duplex.Conformance;
using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Shouldly;
using Xunit;
using static Duplex.DynamoDb.Tests.FaultyWire;

namespace Duplex.DynamoDb.Tests;

/// <summary>What only a store across a network can go wrong with.</summary>
public sealed class DynamoDbFeedTests : IDisposable
{
    private readonly DynamoDbBed _bed = new();
    private readonly ManualClock _clock = new();

    public void Dispose() => _bed.Dispose();

    [SkippableFact]
    public async Task What_a_batch_leaves_unprocessed_is_written_before_the_head_covers_it()
    {
        var faults = new Faults(static (operation, n) =>
            operation == "BatchWriteItem" && n % 3 != 0 ? Fault.LeaveHalf : Fault.None);
        await using var store = await OpenAsync(faults);
        var epoch = await store.AcquireAsync();
        (await store.AppendAsync(epoch, FeedFacts.Items(0, 300))).ShouldBe(new FeedAppend(300, 0));
        faults.Done(Fault.LeaveHalf).ShouldBeGreaterThan(10);
        (await store.ReadAllAsync()).Texts().ShouldBe(Enumerable.Range(0, 300).Select(static n => $"{n}"));
    }

    [SkippableFact]
    public async Task What_is_throttled_is_tried_again()
    {
        var faults = new Faults(static (operation, n) =>
            operation is "BatchWriteItem" or "UpdateItem" or "Query" && n % 2 == 0 ? Fault.Throttle : Fault.None);
        await using var store = await OpenAsync(faults);
        var epoch = await store.AcquireAsync();
        for (var n = 0; n < 5; n++)
        {
            await store.AppendAsync(epoch, FeedFacts.Items(n * 30, 30));
        }

        faults.Done(Fault.Throttle).ShouldBeGreaterThan(5);
        (await store.ReadAllAsync(limit: 20)).Texts().ShouldBe(Enumerable.Range(0, 150).Select(static n => $"{n}"));
    }

    [SkippableFact]
    public async Task Lost_answers_double_nothing_and_leave_no_gap_once_the_append_is_repeated()
    {
        var faults = new Faults(static (operation, n) =>
            operation is "BatchWriteItem" or "UpdateItem" && n % 3 == 2 ? Fault.LoseAnswer : Fault.None);
        await using var store = await OpenAsync(faults);
        var epoch = await AgainAsync(() => store.AcquireAsync());
        for (var n = 0; n < 12; n++)
        {
            var items = FeedFacts.Items(n * 10, 10);
            await AgainAsync(() => store.AppendAsync(epoch, items));
        }

        faults.Done(Fault.LoseAnswer).ShouldBeGreaterThan(5);
        var records = await store.ReadAllAsync();
        records.Select(static r => r.Offset).ShouldBe(Enumerable.Range(1, 120).Select(static n => (long)n));
        records.Texts().ShouldBe(Enumerable.Range(0, 120).Select(static n => $"{n}"));
    }

    [SkippableFact]
    public async Task Without_a_connection_nothing_is_acknowledged_and_the_feed_says_why_until_it_is_back()
    {
        var broken = false;
        var faults = new Faults((_, _) => Volatile.Read(ref broken) ? Fault.Refuse : Fault.None);
        await using var store = await OpenAsync(faults);
        var epoch = await store.AcquireAsync();
        await store.AppendAsync(epoch, FeedFacts.Items(0, 2));
        Volatile.Write(ref broken, true);
        var refused = await Should.ThrowAsync<SyncException>(
            () => store.AppendAsync(epoch, FeedFacts.Items(2, 2)).AsTask());
        refused.Error.Code.ShouldBe(ErrorCode.SinkUnavailable);
        refused.Error.Suggestion.ShouldNotBeNull();
        store.Obstacle.ShouldNotBeNull().Code.ShouldBe(ErrorCode.SinkUnavailable);

        Volatile.Write(ref broken, false);
        (await store.AppendAsync(epoch, FeedFacts.Items(2, 3))).ShouldBe(new FeedAppend(5, 0));
        store.Obstacle.ShouldBeNull();
        (await store.ReadAllAsync()).Texts().ShouldBe(["0", "1", "2", "3", "4"]);
    }

    [SkippableFact]
    public async Task A_process_that_was_replaced_can_neither_append_nor_overwrite_nor_remove()
    {
        await using var old = await OpenAsync();
        var oldEpoch = await old.AcquireAsync(age: TimeSpan.FromDays(1));
        await old.AppendAsync(oldEpoch, FeedFacts.Items(0, 3));
        await using var current = await OpenAsync();
        var epoch = await current.AcquireAsync();
        epoch.ShouldBeGreaterThan(oldEpoch);

        var stale = await Should.ThrowAsync<SyncException>(
            () => old.AppendAsync(oldEpoch, [FeedFacts.Item(3, "stale"), FeedFacts.Item(4, "stale")]).AsTask());
        stale.Error.Code.ShouldBe(ErrorCode.StorageFenced);
        (await current.ReadAllAsync()).Count.ShouldBe(3, "what the stale one has written is behind the head");
        (await current.AppendAsync(epoch, FeedFacts.Items(3, 1))).ShouldBe(new FeedAppend(4, 0));
        await Should.ThrowAsync<SyncException>(
            () => old.AppendAsync(oldEpoch, [FeedFacts.Item(3, "stale"), FeedFacts.Item(4, "stale")]).AsTask());
        (await current.AppendAsync(epoch, FeedFacts.Items(4, 2))).ShouldBe(new FeedAppend(6, 0));
        _clock.Advance(TimeSpan.FromDays(2));
        (await old.ApplyRetentionAsync(default)).ShouldBe(0);
        foreach (var reader in new[] { old, current })
        {
            (await reader.ReadAllAsync(limit: 2)).Texts().ShouldBe(["0", "1", "2", "3", "4", "5"]);
        }
    }

    [SkippableFact]
    public async Task A_reader_in_another_process_learns_of_appends()
    {
        await using var writer = await OpenAsync();
        await using var reader = await OpenAsync();
        var epoch = await writer.AcquireAsync();
        var wait = reader.WaitAsync(FeedFacts.Feed, 0, default).AsTask();
        await writer.AppendAsync(epoch, FeedFacts.Items(0, 1));
        await wait.WaitAsync(TimeSpan.FromMinutes(2));
        (await reader.ReadAllAsync()).Count.ShouldBe(1);
    }

    [SkippableFact]
    public async Task A_record_whose_key_no_item_can_hold_is_refused_alone_and_says_why()
    {
        await using var store = await OpenAsync();
        var epoch = await store.AcquireAsync();
        var large = FeedFacts.Item(0, "x") with { Key = new byte[200_000] };
        var refused = await Should.ThrowAsync<SyncException>(() => store.AppendAsync(epoch, [large]).AsTask());
        refused.Error.Code.ShouldBe(ErrorCode.SinkRejected);
        refused.Error.Message.ShouldContain("users");
        (await store.AppendAsync(epoch, FeedFacts.Items(0, 1))).ShouldBe(new FeedAppend(1, 0));
    }

    [SkippableFact]
    public async Task Retention_leaves_no_items_behind_also_of_attempts_that_failed()
    {
        var faults = new Faults(static (operation, n) =>
            operation == "UpdateItem" && n == 3 ? Fault.Refuse : Fault.None);
        await using var store = await OpenAsync(faults);
        var epoch = await store.AcquireAsync(age: TimeSpan.FromDays(1));
        for (var n = 0; n < 4; n++)
        {
            var items = FeedFacts.Items(n * 10, 10);
            await AgainAsync(() => store.AppendAsync(epoch, items));
        }

        _clock.Advance(TimeSpan.FromDays(2));
        (await store.ApplyRetentionAsync(default)).ShouldBe(40);
        (await store.StateAsync()).ShouldBe(new FeedState(FeedFacts.Feed, 41, 40, 0, 0));
        (await store.AppendAsync(epoch, FeedFacts.Items(40, 2))).ShouldBe(new FeedAppend(42, 0));
        (await store.ReadAllAsync(after: 40)).Texts().ShouldBe(["40", "41"]);
    }

    private static async Task<T> AgainAsync<T>(Func<ValueTask<T>> action)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await action();
            }
            catch (SyncException e) when (e.Error.Code == ErrorCode.SinkUnavailable && attempt < 10)
            {
                // The caller of a store tries again later; so does this one.
            }
        }
    }

    private ValueTask<DynamoDbFeedStore> OpenAsync(Faults? faults = null) =>
        _bed.OpenAsync(_clock, faults is null ? null : () => new FaultyWire(faults));
}
