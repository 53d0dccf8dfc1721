using Duplex.Engine.Config;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>Where a customer's leg reads on, or begins where it is new.</summary>
internal sealed class FeedStarts(CustomerModel customer, EngineParts parts)
{
    private const int Partitions = 3;

    /// <summary>
    /// The position of every partition of the customer's tables. Those that had none are stored before this returns, so that a
    /// customer that begins with the latest change gets all that comes after it was made.
    /// </summary>
    public async Task<IReadOnlyList<(string Table, LegPosition Position)>> PlaceAsync(
        long epoch, CancellationToken cancellationToken)
    {
        var leg = FeedLeg.IdOf(customer);
        var stored = await parts.Store.ReadPositionsAsync(leg, cancellationToken);
        var places = new List<(string, LegPosition)>();
        var fresh = new StateCommit { Owner = leg.ToString(), Epoch = epoch };
        foreach (var table in customer.Tables.Keys)
        {
            var topic = TableTopics.Of(customer.Tenant, table);
            var retention = parts.Model.Retention;
            await parts.Log.EnsureTopicAsync(
                new TopicSpec(topic, Partitions, retention.LogAge, retention.LogBytes), cancellationToken);
            foreach (var partition in (await parts.Log.DescribeAsync(cancellationToken)).Where(p => p.Topic == topic))
            {
                var position = stored.FirstOrDefault(p => p.Topic == topic && p.Partition == partition.Partition);
                if (position is null)
                {
                    position = new LegPosition(leg, topic, partition.Partition, await StartAsync(partition, cancellationToken));
                    fresh.Positions.Add(position);
                }

                places.Add((table, position));
            }
        }

        if (fresh.Positions.Count > 0)
        {
            await parts.Store.CommitAsync(fresh, cancellationToken);
        }

        return places;
    }

    private async ValueTask<long> StartAsync(PartitionState partition, CancellationToken cancellationToken) =>
        customer.Start.Kind switch
        {
            FeedStartKind.Latest => partition.NextOffset,
            FeedStartKind.Earliest => partition.FirstOffset,
            _ => await LogTimes.FirstAtAsync(
                parts.Log, partition, customer.Start.Time.ToUnixTimeMilliseconds() * 1000, cancellationToken),
        };
}
