using Duplex.Conformance;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Feeds.Tests;

/// <summary>Who may record how far a partition is.</summary>
public sealed class PartitionOwnershipTests
{
    private const string Names = "rules: [ { a: id, b: id }, { a: name, b: name } ]";
    private static readonly LegId Leg = new("default/c", Side.A);
    private static readonly (int, string)[] Rows = [.. Enumerable.Range(0, 60).Select(static i => (i, "n"))];

    [Fact]
    public async Task Status_tells_the_partitions_that_are_owned()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: [("users", Names), ("orders", Names)]);
        await bed.StartAsync();
        await Eventually.BecomesAsync(() => Status(bed).State == RunState.Running);
        Status(bed).Owned.ShouldBe(["orders/0", "users/0"]);
        Status(bed).Partitions.ShouldBe(2);
    }

    [Fact]
    public async Task An_owner_that_was_shut_out_of_a_partition_records_nothing_of_it_says_so_and_carries_the_others()
    {
        await using var bed = new FeedBed { Partitions = 3 };
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        await RecordsAllAsync(bed, 1);
        var before = await PositionsAsync(bed);
        await bed.Store.AcquireAsync("default/c:a|users/1", default);
        await bed.PostAsync("users", Rows);
        await bed.UntilAsync("c", 2 * Rows.Length);
        await Eventually.BecomesAsync(() => Status(bed).Error is { Code: ErrorCode.StorageFenced });
        Status(bed).State.ShouldBe(RunState.Retrying);
        Status(bed).Owned.ShouldBe(["users/0", "users/2"]);
        await Eventually.BecomesAsync(() =>
            PositionsAsync(bed).GetAwaiter().GetResult() is var now && now[0] > before[0] && now[2] > before[2]);
        (await PositionsAsync(bed))[1].ShouldBe(before[1], "a stale owner cannot record");

        // Who begins anew begins where the last owner by right had got to, and doubles nothing.
        await bed.StopAsync();
        await bed.StartAsync();
        await RecordsAllAsync(bed, 2);
        Status(bed).Owned.Count.ShouldBe(3);
    }

    [Fact]
    public async Task An_owner_that_nobody_shuts_out_records_whoever_else_acquires_something()
    {
        await using var bed = new FeedBed { Partitions = 3 };
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        await RecordsAllAsync(bed, 1);
        await bed.Store.AcquireAsync("default/c:a|users/3", default);
        await bed.Store.AcquireAsync("default/d:a|users/1", default);
        await RecordsAllAsync(bed, 2);
        Status(bed).Error.ShouldBeNull();
    }

    [Fact]
    public async Task An_owner_that_is_shut_out_and_stays_the_partitions_own_takes_it_up_again()
    {
        await using var bed = new FeedBed { Partitions = 3, Clock = new HastyClock() };
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        await RecordsAllAsync(bed, 1);
        await bed.Store.AcquireAsync("default/c:a|users/1", default);
        await RecordsAllAsync(bed, 2);
        await Eventually.BecomesAsync(() => Status(bed) is { Error: null, State: RunState.Running, Owned.Count: 3 });
    }

    /// <summary>Posts a change of each record, and waits until the feed has each once and all of it is recorded.</summary>
    private static async Task RecordsAllAsync(FeedBed bed, int rounds)
    {
        if ((await bed.ReadAsync("c", 10_000)).Count < rounds * Rows.Length)
        {
            await bed.PostAsync("users", Rows);
        }

        await bed.UntilAsync("c", rounds * Rows.Length);
        await Eventually.BecomesAsync(() => PositionsAsync(bed).GetAwaiter().GetResult().Sum() == rounds * Rows.Length);
        (await bed.ReadAsync("c", 10_000)).Count.ShouldBe(rounds * Rows.Length);
    }

    private static async Task<long[]> PositionsAsync(FeedBed bed) =>
        [.. (await bed.Store.ReadPositionsAsync(Leg, default)).OrderBy(static p => p.Partition).Select(static p => p.Offset)];

    private static CustomerStatus Status(FeedBed bed) => bed.StatusAsync("c").GetAwaiter().GetResult();

    /// <summary>A clock on which pauses are a hundredth as long.</summary>
    private sealed class HastyClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : dueTime / 100, period);
    }
}
