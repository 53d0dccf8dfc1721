using System.Collections.Concurrent;
using Duplex.Sdk;

namespace Duplex.Kafka.Topics;

/// <summary>What the log holds, in memory: read on any thread, changed on the writer's.</summary>
internal sealed class LogCatalog
{
    public ConcurrentDictionary<string, Topic> Topics { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, Position> Positions { get; } = new(StringComparer.Ordinal);

    public Topic Get(string name) => Topics.GetValueOrDefault(name)
        ?? throw new ArgumentException($"There is no topic {name}.", nameof(name));

    public PartitionLog Get(string name, int partition)
    {
        var topic = Get(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)partition, (uint)topic.Partitions.Count, nameof(partition));
        return topic.Partitions[partition];
    }
}
