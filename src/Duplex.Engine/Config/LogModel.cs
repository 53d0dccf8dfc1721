namespace Duplex.Engine.Config;

/// <summary>Where the change log is kept.</summary>
public sealed record LogModel
{
    /// <summary>The Kafka that keeps it; null for the data directory.</summary>
    public KafkaModel? Kafka { get; init; }

    /// <summary>
    /// Partitions of each topic that is made; null for as many as its kind usually has. Changes of a key stay in order;
    /// between keys of different partitions there is none.
    /// </summary>
    public int? Partitions { get; init; }
}

/// <summary>A change log on Kafka.</summary>
/// <param name="Bootstrap">Brokers to begin with: <c>host:port</c>, separated by commas.</param>
public sealed record KafkaModel(string Bootstrap)
{
    /// <summary>What topics, groups and the transactional id begin with, before a dot; empty for nothing.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Copies of each topic that is made; 0 for the cluster's default.</summary>
    public short Replicas { get; init; }

    /// <summary><c>zstd</c>, <c>lz4</c>, <c>snappy</c>, <c>gzip</c> or <c>none</c>.</summary>
    public string Compression { get; init; } = "lz4";

    /// <summary>Whether Kafka itself removes entries by age and size, whether consumed or not.</summary>
    public bool BrokerRetention { get; init; }

    /// <summary>How long an append waits for brokers that do not answer.</summary>
    public TimeSpan AppendWithin { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many delivery ids a topic remembers, and how many offsets back they are searched after a
    /// start.</summary>
    public int DeliveriesMax { get; init; } = 100_000;

    /// <summary>Security and further settings of the client, by librdkafka's names.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}
