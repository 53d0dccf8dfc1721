using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Duplex.Kafka.Reading;
using Duplex.Kafka.Topics;

namespace Duplex.Kafka.Writing;

/// <summary>
/// Removes entries that every consumer has passed, by age and by size. Kafka's own retention knows nothing of consumers
/// that have not read yet, so that it is switched off unless the configuration wants it. On the writer's thread.
/// </summary>
internal sealed class Trimmer(Probe probe, IAdminClient admin, KafkaLogOptions options)
{
    /// <summary>Removes what is too old or too much. Returns how many entries went.</summary>
    public long Trim(Topic topic, long nowMicros)
    {
        if (options.BrokerRetention)
        {
            return topic.Partitions.Sum(Follow);
        }

        var cutoff = nowMicros - (long)topic.Spec.RetentionAge.TotalMicroseconds;
        var removed = 0L;
        foreach (var partition in topic.Partitions)
        {
            var extent = partition.Extent;
            if (!extent.IsEmpty && extent.OldestMicros < cutoff)
            {
                removed += Remove(partition, entry => entry.Micros >= cutoff);
            }
        }

        removed += topic.Held >= topic.Spec.RetentionBytes ? TrimToQuota(topic) : 0;
        return removed;
    }

    /// <summary>Removes the oldest entries until an eighth of the quota is free, or nothing more may go.</summary>
    public long TrimToQuota(Topic topic)
    {
        var removed = 0L;
        foreach (var partition in topic.Partitions.Where(static p => !p.Extent.IsEmpty)
            .OrderBy(static p => p.Extent.OldestMicros))
        {
            var excess = topic.Held - topic.Spec.RetentionBytes + (topic.Spec.RetentionBytes / 8);
            if (excess <= 0)
            {
                break;
            }

            var enough = partition.Extent.RemovedBytes + excess;
            removed += Remove(partition, entry => entry.Bytes - entry.OwnBytes >= enough);
        }

        return removed;
    }

    private long Remove(PartitionLog partition, Predicate<EntryStamp> stays)
    {
        var extent = partition.Extent;
        var limit = Math.Min(extent.Next, partition.Topic.ConsumedTo(partition.Number));
        if (limit <= extent.First)
        {
            return 0;
        }

        var cut = probe.Cut(partition, extent.Readable, limit, stays);
        if (cut <= extent.First)
        {
            return 0;
        }

        admin.DeleteRecordsAsync([new TopicPartitionOffset(partition.Topic.KafkaName, partition.Number, cut)])
            .GetAwaiter().GetResult();
        return Begin(partition, cut);
    }

    // Where Kafka itself removes entries, its low watermark tells.
    private long Follow(PartitionLog partition)
    {
        var low = probe.Low(partition);
        return low > partition.Extent.Readable ? Begin(partition, low) : 0;
    }

    private long Begin(PartitionLog partition, long first)
    {
        var extent = partition.Extent;
        var entry = first < extent.Next ? probe.FirstAt(partition, first) : null;
        var after = entry is null
            ? extent with
            {
                First = Math.Min(first, extent.Next),
                Last = Math.Min(first, extent.Next) - 1,
                Start = first,
                Removed = extent.Count,
                RemovedBytes = extent.Bytes,
                OldestMicros = 0,
            }
            : extent with
            {
                First = first,
                Removed = Math.Max(extent.Removed, entry.Count - 1),
                RemovedBytes = Math.Max(extent.RemovedBytes, entry.Bytes - entry.OwnBytes),
                OldestMicros = entry.Micros,
            };
        partition.Publish(after);
        partition.Topic.Deliveries?.Prune();
        return after.Removed - extent.Removed;
    }
}
