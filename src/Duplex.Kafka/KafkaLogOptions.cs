using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.Kafka;

/// <summary>How a change log on Kafka is reached and what it may use.</summary>
public sealed record KafkaLogOptions
{
    /// <summary>Brokers to begin with: <c>host:port</c>, separated by commas.</summary>
    public required string Bootstrap { get; init; }

    /// <summary>
    /// The installation's name in the cluster: its topics, its consumer groups and its transactional id begin with it
    /// and a dot. Empty for none. One process at a time writes under a prefix.
    /// </summary>
    public string Prefix { get; init; } = "";

    /// <summary>Copies of each topic that is created; 0 for the cluster's default.</summary>
    public short Replicas { get; init; }

    /// <summary><c>zstd</c>, <c>lz4</c>, <c>snappy</c>, <c>gzip</c> or <c>none</c>.</summary>
    public string Compression { get; init; } = "lz4";

    /// <summary>
    /// Whether Kafka itself removes entries by a topic's age and size, whether consumed or not. Otherwise Duplex removes
    /// what every consumer has passed, and nothing else goes.
    /// </summary>
    public bool BrokerRetention { get; init; }

    /// <summary>How long an append waits for brokers that do not answer before it fails.</summary>
    public TimeSpan AppendWithin { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a consumer group waits for a member that it does not hear of before others get its partitions; how
    /// long a restart may take so that it gets them back at once.</summary>
    public TimeSpan SessionWithin { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many of the latest offsets of each partition are searched for delivery ids after a start, and how
    /// many delivery ids a topic remembers.</summary>
    public int DeliveriesMax { get; init; } = 100_000;

    /// <summary>Further properties of the client, by librdkafka's names: security, timeouts.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>The clock that entries are stamped with.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where the client's own complaints go.</summary>
    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;
}
