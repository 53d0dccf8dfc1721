using System.Collections.Concurrent;
using Duplex.Engine.Log;
using Duplex.Sdk;

namespace Duplex.Kafka.Topics;

/// <summary>One topic in memory.</summary>
internal sealed class Topic
{
    private readonly ConcurrentDictionary<string, long[]> _consumers = new(StringComparer.Ordinal);
    private TopicSpec _spec;

    public Topic(TopicSpec spec, string kafkaName)
    {
        _spec = spec;
        KafkaName = kafkaName;
        Partitions = [.. Enumerable.Range(0, spec.Partitions).Select(n => new PartitionLog(this, n, Extent.Empty(0)))];
    }

    /// <summary>The specification, with the partitions that the topic has.</summary>
    public TopicSpec Spec
    {
        get => Volatile.Read(ref _spec);
        set => Volatile.Write(ref _spec, value);
    }

    public string Name => Spec.Name;

    /// <summary>Its name in the cluster.</summary>
    public string KafkaName { get; }

    public IReadOnlyList<PartitionLog> Partitions { get; }

    /// <summary>Delivery ids; null until the first is asked for. On the writer's thread only.</summary>
    public DeliveryWindow? Deliveries { get; set; }

    public long Held
    {
        get
        {
            var bytes = 0L;
            foreach (var partition in Partitions)
            {
                bytes += partition.Extent.Held;
            }

            return bytes;
        }
    }

    public PartitionLog PartitionOf(ReadOnlySpan<byte> key) => Partitions[Murmur2.Partition(key, Partitions.Count)];

    /// <summary>What every consumer of the partition has passed; no limit if the topic has no consumer.</summary>
    public long ConsumedTo(int partition)
    {
        var consumed = long.MaxValue;
        foreach (var offsets in _consumers.Values)
        {
            consumed = Math.Min(consumed, Volatile.Read(ref offsets[partition]));
        }

        return consumed;
    }

    /// <summary>Notes how far a consumer has got. True if it was not known before. Partitions that it has not told of
    /// count as unread.</summary>
    public bool Advance(string consumer, int partition, long offset)
    {
        var known = _consumers.TryGetValue(consumer, out var offsets);
        offsets ??= _consumers.GetOrAdd(consumer, _ => new long[Partitions.Count]);
        Volatile.Write(ref offsets[partition], offset);
        return !known;
    }

    public bool Forget(string consumer) => _consumers.TryRemove(consumer, out _);

    public long ConsumerOffset(string consumer, int partition) =>
        _consumers.TryGetValue(consumer, out var offsets) ? Volatile.Read(ref offsets[partition]) : 0;

    /// <summary>The error of an append that finds the topic full of entries that somebody still needs.</summary>
    public SyncException QuotaReached() => new(ErrorCode.StorageFull,
        $"Topic {Name} holds {Held} bytes that are not delivered yet; its quota is {Spec.RetentionBytes}.",
        "Repair or remove the sync that is behind (duplex status), or raise the log's bytes in duplex.yaml.");
}
