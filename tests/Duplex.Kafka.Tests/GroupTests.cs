using Confluent.Kafka;
using Duplex.Conformance;
using Duplex.Engine.Diagnostics;
using Duplex.Sdk;
using Shouldly;
using Xunit;
using ErrorCode = Duplex.Sdk.ErrorCode;

namespace Duplex.Kafka.Tests;

/// <summary>A customer's leg as a member of its consumer group.</summary>
[Collection(KafkaCollection.Name)]
public sealed class GroupTests(KafkaBroker broker)
{
    [SkippableFact]
    public async Task Partitions_go_to_another_member_and_come_back_under_load_and_every_change_is_in_the_feed_once_and_in_order()
    {
        await using var bed = new GroupBed(broker) { SessionWithin = TimeSpan.FromSeconds(60) };
        await bed.StartAsync();
        await OwnsAsync(bed, GroupBed.Partitions);
        using var stop = new CancellationTokenSource();
        var posting = Task.Run(() => bed.PostAllAsync(stop.Token));
        for (var round = 0; round < 3; round++)
        {
            using (var other = bed.Join())
            {
                IReadOnlyCollection<int> gone = [];
                await Eventually.BecomesAsync(() =>
                {
                    gone = other.Owned;
                    return gone.Count > 0 && bed.Status().Owned.SequenceEqual(
                        Enumerable.Range(0, GroupBed.Partitions).Except(gone).Select(static p => $"users/{p}"));
                });
                var before = await bed.ReachedAsync();
                var posted = bed.Posted;
                await Eventually.BecomesAsync(() => bed.Posted > posted + (20 * GroupBed.Keys));
                IReadOnlyDictionary<string, long> after = before;
                await Eventually.BecomesAsync(async () =>
                {
                    after = await bed.ReachedAsync();
                    return before.All(p => gone.Contains(p.Key[^1] - '0') || after[p.Key] > p.Value);
                });
                before.Where(p => gone.Contains(p.Key[^1] - '0')).ShouldAllBe(
                    p => after[p.Key] == p.Value, $"round {round}: what is another's goes on");
            }

            await OwnsAsync(bed, GroupBed.Partitions);
        }

        await stop.CancelAsync();
        await posting;
        await bed.HoldsAllAsync();
    }

    [SkippableFact]
    public async Task Kafkas_group_has_the_leg_as_its_member_and_the_offsets_that_the_state_store_has_also_after_a_restart()
    {
        await using var bed = new GroupBed(broker);
        for (var life = 0; life < 2; life++)
        {
            await bed.StartAsync();
            await OwnsAsync(bed, GroupBed.Partitions);
            await bed.PostAsync();
            await bed.HoldsAllAsync();
            using var admin = bed.Admin();
            var group = admin.ListGroup(bed.Group, TimeSpan.FromMinutes(2)).ShouldNotBeNull();
            (group.State, group.Protocol, group.ProtocolType).ShouldBe(("Stable", "cooperative-sticky", "consumer"));
            group.Members.ShouldHaveSingleItem().MemberId.ShouldStartWith($"duplex-{bed.Store.Installation}-");
            using var reader = new ConsumerBuilder<byte[], byte[]>(
                [new("bootstrap.servers", broker.Bootstrap), new("group.id", bed.Group)]).Build();
            var partitions = Enumerable.Range(0, GroupBed.Partitions).Select(p => new TopicPartition(bed.Topic, p)).ToList();
            await Eventually.BecomesAsync(() =>
            {
                var recorded = bed.RecordedAsync().GetAwaiter().GetResult();
                return reader.Committed(partitions, TimeSpan.FromMinutes(2))
                    .TrueForAll(c => c.Offset.Value > 0 && c.Offset.Value == recorded[c.Partition.Value]);
            });
            await bed.StopAsync();
        }
    }

    [SkippableFact]
    public async Task A_broker_that_restarts_under_load_leaves_a_leg_its_partitions_while_the_session_lasts_and_gives_them_back_after_it()
    {
        await using var patient = new GroupBed(broker) { SessionWithin = TimeSpan.FromSeconds(120) };
        await using var hasty = new GroupBed(broker) { SessionWithin = TimeSpan.FromSeconds(2) };
        await patient.StartAsync();
        await hasty.StartAsync();
        await OwnsAsync(patient, GroupBed.Partitions);
        await OwnsAsync(hasty, GroupBed.Partitions);
        using var stop = new CancellationTokenSource();
        var posting = Task.WhenAll(Task.Run(() => patient.PostAllAsync(stop.Token)), Task.Run(() => hasty.PostAllAsync(stop.Token)));
        await PostedAsync(patient, hasty);
        await broker.KillAsync();
        try
        {
            CustomerStatus? status = null;
            try
            {
                await Eventually.BecomesAsync(() => (status = hasty.Status()) is
                    { Owned.Count: 0, State: RunState.Retrying, Error.Code: ErrorCode.StorageUnavailable });
            }
            catch (TimeoutException e)
            {
                throw new TimeoutException($"{status}, owns {string.Join(", ", status?.Owned ?? [])}", e);
            }

            var recorded = await hasty.RecordedAsync();
            status!.Partitions.ShouldBe(GroupBed.Partitions);
            status.Error!.Message.ShouldContain(hasty.Group);
            patient.Status().Owned.Count.ShouldBe(GroupBed.Partitions, "its session goes on");
            (await hasty.RecordedAsync()).ShouldBe(recorded, "who has lost a partition records nothing more");
        }
        finally
        {
            await broker.StartAsync();
        }

        await OwnsAsync(hasty, GroupBed.Partitions);
        await PostedAsync(patient, hasty);
        await stop.CancelAsync();
        await posting;
        await patient.HoldsAllAsync();
        await hasty.HoldsAllAsync();
        foreach (var bed in new[] { patient, hasty })
        {
            await Eventually.BecomesAsync(
                () => bed.Status() is { Owned.Count: GroupBed.Partitions, State: RunState.Running, Error: null });
        }
    }

    [SkippableFact]
    public async Task A_member_that_takes_the_legs_place_shuts_it_out_and_the_leg_says_so()
    {
        await using var bed = new GroupBed(broker);
        await bed.StartAsync();
        await OwnsAsync(bed, GroupBed.Partitions);
        using (bed.Join($"duplex-{bed.Store.Installation}"))
        {
            await Eventually.BecomesAsync(() => bed.Status().Error?.Code == ErrorCode.StorageFenced);
        }

        await OwnsAsync(bed, GroupBed.Partitions);
        await bed.PostAsync();
        await bed.HoldsAllAsync();
    }

    private static Task OwnsAsync(GroupBed bed, int count) => Eventually.BecomesAsync(() => bed.Status().Owned.Count == count);

    /// <summary>Waits until more is posted on both.</summary>
    private static async Task PostedAsync(GroupBed one, GroupBed other)
    {
        var (before, beforeOther) = (one.Posted, other.Posted);
        await Eventually.BecomesAsync(() =>
            one.Posted > before + (20 * GroupBed.Keys) && other.Posted > beforeOther + (20 * GroupBed.Keys));
    }
}
