using Duplex.Engine.Config;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>Where a customer's leg reads on, or begins where it is new.</summary>
internal sealed class FeedStarts(CustomerModel customer, EngineParts parts)
{
    private static readonly IReadOnlySet<string> None = new HashSet<string>();

    /// <summary>
    /// The position of every partition of every table. Those that had none are stored before this returns,
    /// so that a customer that begins with the latest change gets all that comes after it was made.
    /// </summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageUnreadable"/>: the log does not reach a stored
    /// position.</exception>
    public async Task<IReadOnlyList<(string Table, LegPosition Position)>> PlaceAsync(
        long epoch, CancellationToken cancellationToken)
    {
        var (places, fresh) = await FindAsync(epoch, None, cancellationToken);
        if (fresh.Count > 0)
        {
            var commit = new StateCommit { Owner = FeedLeg.IdOf(customer).ToString(), Epoch = epoch };
            commit.Positions.AddRange(fresh);
            commit.Mutations.AddRange(MarksOf(fresh));
            await parts.Store.CommitAsync(commit, cancellationToken);
            await HoldAsync(fresh, cancellationToken);
        }

        return places;
    }

    /// <summary>The position of every partition of every table, and those among them that are not stored yet.</summary>
    /// <param name="epoch">The leg's epoch.</param>
    /// <param name="added">Tables that begin now although they were read before; what they were given stays given.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    public async Task<(IReadOnlyList<(string Table, LegPosition Position)> All, IReadOnlyList<LegPosition> Fresh)> FindAsync(
        long epoch, IReadOnlySet<string> added, CancellationToken cancellationToken)
    {
        var reach = new LogReach(parts.Log, parts.Store, parts.Clock);
        var leg = FeedLeg.IdOf(customer);
        var stored = await parts.Store.ReadPositionsAsync(leg, cancellationToken);
        var all = new List<(string, LegPosition)>();
        var fresh = new List<LegPosition>();
        foreach (var table in customer.Tables.Keys.Concat(customer.Waiting))
        {
            var topic = TableTopics.Of(customer.Tenant, table);
            var retention = parts.Model.Retention;
            await parts.Log.EnsureTopicAsync(
                new TopicSpec(topic, parts.Model.Ingest?.Partitions ?? parts.Model.Log.Partitions ?? 1,
                    retention.LogAge, retention.LogBytes), cancellationToken);
            foreach (var partition in (await parts.Log.DescribeAsync(cancellationToken)).Where(p => p.Topic == topic))
            {
                var position = stored.FirstOrDefault(p => p.Topic == topic && p.Partition == partition.Partition);
                if (position is not null)
                {
                    await reach.RequireAsync(position, partition, epoch, cancellationToken);
                }

                if (position is null || added.Contains(table))
                {
                    var start = await StartAsync(table, partition, cancellationToken);
                    position = new LegPosition(leg, topic, partition.Partition, Math.Max(start, position?.Offset ?? 0));
                    fresh.Add(position);
                }

                all.Add((table, position));
            }
        }

        return (all, fresh);
    }

    /// <summary>What is stored with positions that begin: which log they belong to.</summary>
    public IEnumerable<StateMutation> MarksOf(IEnumerable<LegPosition> fresh)
    {
        var reach = new LogReach(parts.Log, parts.Store, parts.Clock);
        return fresh.Select(p => reach.NoteOf(p.Leg, p.Topic, p.Partition));
    }

    /// <summary>Tells the log what is still wanted, so that retention keeps it.</summary>
    public async Task HoldAsync(IEnumerable<LegPosition> positions, CancellationToken cancellationToken)
    {
        foreach (var position in positions)
        {
            await parts.Log.AdvanceConsumerAsync(
                FeedLeg.IdOf(customer).ToString(), position.Topic, position.Partition, position.Offset, cancellationToken);
        }
    }

    private async ValueTask<long> StartAsync(string table, PartitionState partition, CancellationToken cancellationToken) =>
        customer.Start.Kind switch
        {
            FeedStartKind.Earliest => partition.FirstOffset,
            FeedStartKind.Time => await LogTimes.FirstAtAsync(
                parts.Log, partition, customer.Start.Time.ToUnixTimeMilliseconds() * 1000, cancellationToken),
            FeedStartKind.Offsets when customer.Start.Offsets.TryGetValue((table, partition.Partition), out var offset) =>
                offset,
            _ => partition.NextOffset,
        };
}
