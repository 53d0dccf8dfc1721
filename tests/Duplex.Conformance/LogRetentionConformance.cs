using Duplex.Engine.Log;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Conformance;

/// <summary>What retention of every change log must do.</summary>
public abstract class LogRetentionConformance(IBed<IChangeLog> bed) : SeamConformance<IChangeLog>(bed)
{
    private IChangeLog Log => Subject;

    [SkippableFact]
    public async Task Old_entries_go_once_every_consumer_has_passed_them()
    {
        await Log.EnsureAsync(age: TimeSpan.FromDays(1));
        await AdvanceAsync("one", 0);
        await AdvanceAsync("two", 0);
        await AppendEachAsync("0", "1", "2", "3");
        Clock.Advance(TimeSpan.FromDays(2));
        await AppendEachAsync("4");
        var offsets = await Log.OffsetsAsync();

        (await Log.ApplyRetentionAsync(default)).ShouldBe(0, "nobody has read anything");
        await AdvanceAsync("one", offsets[4] + 1);
        await AdvanceAsync("two", offsets[2]);
        (await Log.ApplyRetentionAsync(default)).ShouldBe(2);
        (await Log.DescribeAsync(0)).FirstOffset.ShouldBe(offsets[2]);

        await Log.RemoveConsumerAsync("two", default);
        (await Log.ApplyRetentionAsync(default)).ShouldBe(2, "the last entry is young");
        var state = await Log.DescribeAsync(0);
        state.ShouldBe(new PartitionState(
            LogFacts.Topic, 0, offsets[4], offsets[4] + 1, "[\"k0\"]4".Length, Clock.GetUtcNow()));
        (await Log.ReadAllAsync(offset: offsets[4])).ShouldBe(["4"]);
    }

    [SkippableFact]
    public async Task Offsets_go_on_after_everything_was_removed_also_after_reopening()
    {
        await Log.EnsureAsync(age: TimeSpan.FromDays(1));
        await AppendEachAsync("0", "1");
        var next = (await Log.DescribeAsync(0)).NextOffset;
        Clock.Advance(TimeSpan.FromDays(2));
        (await Log.ApplyRetentionAsync(default)).ShouldBe(2);
        await ReopenAsync();
        (await Log.DescribeAsync(0)).ShouldBe(new PartitionState(LogFacts.Topic, 0, next, next, 0, null));
        await AppendEachAsync("2");
        (await Log.ReadAllAsync(offset: next)).ShouldBe(["2"]);
    }

    [SkippableFact]
    public async Task Consumers_are_remembered_after_reopening()
    {
        await Log.EnsureAsync(age: TimeSpan.FromDays(1));
        await AdvanceAsync("one", 0);
        await AppendEachAsync("0");
        await ReopenAsync();
        Clock.Advance(TimeSpan.FromDays(2));
        (await Log.ApplyRetentionAsync(default)).ShouldBe(0);
    }

    [SkippableFact]
    public async Task An_offset_that_retention_removed_is_an_error_and_never_a_silent_gap()
    {
        await Log.EnsureAsync(age: TimeSpan.FromDays(1));
        await AppendEachAsync("0", "1");
        Clock.Advance(TimeSpan.FromDays(2));
        await AppendEachAsync("2");
        await Log.ApplyRetentionAsync(default);
        var gone = await Should.ThrowAsync<SyncException>(() => Log.ReadAllAsync(offset: 1));
        gone.Error.Code.ShouldBe(ErrorCode.StorageUnreadable);
        gone.Error.Suggestion.ShouldNotBeNull();
    }

    [SkippableFact]
    public async Task Consumed_entries_give_way_when_the_topic_is_full()
    {
        await Log.EnsureAsync(bytes: 10_000);
        await AdvanceAsync("one", 0);
        for (var n = 0; n < 100; n++)
        {
            await AppendEachAsync(new string('x', 1000));
            await AdvanceAsync("one", (await Log.DescribeAsync(0)).NextOffset);
        }

        var state = await Log.DescribeAsync(0);
        state.NextOffset.ShouldBeGreaterThanOrEqualTo(100);
        (await Log.OffsetsAsync(offset: state.FirstOffset)).Count.ShouldBeInRange(5, 12);
        state.Bytes.ShouldBeInRange(5_000, 12_000);
    }

    [SkippableFact]
    public async Task Unconsumed_entries_stop_appends_to_their_topic_alone_until_they_are_consumed()
    {
        await Log.EnsureAsync(bytes: 5_000);
        await Log.EnsureAsync(topic: "other");
        await AdvanceAsync("one", 0);
        var stored = 0;
        SyncException? full = null;
        while (full is null)
        {
            stored.ShouldBeLessThan(100, "the quota is 5,000 bytes");
            try
            {
                await Log.AppendAsync(LogFacts.Batch(new Position(1, (ulong)stored, 0), new string('x', 1000)));
                stored++;
            }
            catch (SyncException e)
            {
                full = e;
            }
        }

        full.Error.Code.ShouldBe(ErrorCode.StorageFull);
        full.Error.Message.ShouldContain(LogFacts.Topic);
        full.Error.Suggestion.ShouldNotBeNull();
        Log.Obstacle.ShouldBeNull("the other topics take appends");
        (await Log.OffsetsAsync()).Count.ShouldBe(stored, "nothing of the refused batch is stored");
        (await Log.ReadPositionAsync("acme/shop", default)).ShouldBe(new Position(1, (ulong)stored - 1, 0));
        using var other = LogFacts.Batch(null, "1");
        (await Log.AppendAsync("s", other, static _ => "other", default)).Appended.ShouldBe(1);

        await AdvanceAsync("one", (await Log.DescribeAsync(0)).NextOffset);
        (await Log.AppendAsync(LogFacts.Batch(null, "1"))).Appended.ShouldBe(1);
    }

    [SkippableTheory]
    [InlineData("evt_1", "evt_1")]
    [InlineData("k:a\u001f11", "k:a\u001f11")]
    [InlineData("e:1\u001ek:a\u001f11", "e:1")]
    [InlineData("e:1\u001ek:a\u001f11", "k:a\u001f11")]
    public async Task A_delivery_id_is_remembered_as_long_as_its_entry(string first, string again)
    {
        await Log.EnsureAsync(age: TimeSpan.FromDays(1));
        await Log.AppendAsync(LogFacts.Delivery(first, "a", "1"));
        Clock.Advance(TimeSpan.FromHours(23));
        await Log.ApplyRetentionAsync(default);
        (await Log.AppendAsync(LogFacts.Delivery(again, "a", "1"))).Dropped.ShouldBe(1);
        Clock.Advance(TimeSpan.FromHours(2));
        (await Log.ApplyRetentionAsync(default)).ShouldBe(1);
        (await Log.AppendAsync(LogFacts.Delivery(again, "a", "1"))).Appended.ShouldBe(1);
    }

    private async Task AppendEachAsync(params string[] values)
    {
        foreach (var value in values)
        {
            await Log.AppendAsync(LogFacts.Batch(null, value));
        }
    }

    private async Task AdvanceAsync(string consumer, long offset) =>
        await Log.AdvanceConsumerAsync(consumer, LogFacts.Topic, 0, offset, default);
}
