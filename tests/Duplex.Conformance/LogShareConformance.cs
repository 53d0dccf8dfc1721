using Duplex.Engine.Log;
using Shouldly;
using Xunit;

namespace Duplex.Conformance;

/// <summary>What every change log must do for the members of a consumer.</summary>
public abstract class LogShareConformance(IBed<IChangeLog> bed) : SeamConformance<IChangeLog>(bed)
{
    private const string Consumer = "acme/c:a";
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(2);

    [SkippableFact]
    public async Task The_only_member_is_given_every_partition_of_its_topics_once_and_no_other()
    {
        await EnsureAsync("users", 3);
        await EnsureAsync("orders", 2);
        await EnsureAsync("others", 4);
        await using var share = await Subject.JoinAsync(Consumer, "one", ["users", "orders"], default);
        var holds = await TakeAsync(share, 5);
        holds.Select(static h => $"{h.Topic}/{h.Partition}").Order(StringComparer.Ordinal)
            .ShouldBe(["orders/0", "orders/1", "users/0", "users/1", "users/2"]);
        holds.ShouldAllBe(static h => !h.CalledBack.IsCancellationRequested && !h.Lost.IsCancellationRequested);
        share.Obstacle.ShouldBeNull();
    }

    [SkippableFact]
    public async Task A_member_that_returns_under_its_name_is_given_what_it_had()
    {
        await EnsureAsync("users", 3);
        for (var life = 0; life < 3; life++)
        {
            await using var share = await Subject.JoinAsync(Consumer, "one", ["users"], default);
            foreach (var hold in await TakeAsync(share, 3))
            {
                await Subject.AdvanceConsumerAsync(Consumer, hold.Topic, hold.Partition, life, default);
                hold.Release();
            }

            if (life == 1)
            {
                await share.DisposeAsync();
                await ReopenAsync();
            }
        }
    }

    [SkippableFact]
    public async Task A_member_that_returns_for_other_topics_is_given_those()
    {
        await EnsureAsync("users", 3);
        await EnsureAsync("orders", 2);
        foreach (var topics in new string[][] { ["users"], ["users", "orders"], ["orders"] })
        {
            await using var share = await Subject.JoinAsync(Consumer, "one", topics, default);
            var holds = await TakeAsync(share, topics.Sum(static t => t == "users" ? 3 : 2));
            holds.Select(static h => h.Topic).Distinct().ShouldBe(topics, ignoreOrder: true);
            holds.ForEach(static h => h.Release());
        }
    }

    [SkippableFact]
    public async Task Members_of_different_consumers_do_not_share()
    {
        await EnsureAsync("users", 3);
        await using var one = await Subject.JoinAsync("acme/c:a", "one", ["users"], default);
        await using var other = await Subject.JoinAsync("acme/d:a", "one", ["users"], default);
        (await TakeAsync(one, 3)).Count.ShouldBe(3);
        (await TakeAsync(other, 3)).Count.ShouldBe(3);
    }

    [SkippableFact]
    public async Task A_share_can_be_given_up_before_anything_was_given()
    {
        await EnsureAsync("users", 3);
        for (var time = 0; time < 3; time++)
        {
            await (await Subject.JoinAsync(Consumer, "one", ["users"], default)).DisposeAsync();
        }

        await using var share = await Subject.JoinAsync(Consumer, "one", ["users"], default);
        (await TakeAsync(share, 3)).Count.ShouldBe(3);
    }

    [SkippableFact]
    public async Task A_share_without_topics_has_no_partitions()
    {
        await using var share = await Subject.JoinAsync(Consumer, "one", [], default);
        (await share.TakeAsync(default).AsTask().WaitAsync(Within)).ShouldBeEmpty();
        using var stop = new CancellationTokenSource();
        var more = share.TakeAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(more.WaitAsync(Within));
    }

    /// <summary>Takes until there are so many, of which each is its topic's own.</summary>
    private static async Task<List<PartitionHold>> TakeAsync(PartitionShare share, int count)
    {
        using var deadline = new CancellationTokenSource(Within);
        var holds = new List<PartitionHold>();
        while (holds.Count < count)
        {
            holds.AddRange(await share.TakeAsync(deadline.Token));
            holds.RemoveAll(static h => h.Lost.IsCancellationRequested);
        }

        holds.Select(static h => (h.Topic, h.Partition)).Distinct().Count().ShouldBe(count);
        holds.Count.ShouldBe(count);
        return holds;
    }

    private Task EnsureAsync(string topic, int partitions) => Subject.EnsureAsync(partitions, topic: topic);
}
