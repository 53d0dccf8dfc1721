using Duplex.Engine.Schemas;

namespace Duplex.Engine.Config;

/// <summary>How changes are taken over REST, validated and immutable.</summary>
public sealed record IngestModel
{
    /// <summary>The largest number of partitions of a table's topic.</summary>
    public const int PartitionsMax = 256;

    /// <summary>Partitions of a table's topic where nothing says otherwise.</summary>
    public const int PartitionsUsual = 3;

    /// <summary>The absolute path of the folder of schemas.</summary>
    public required string SchemaDirectory { get; init; }

    /// <summary>The schemas that the folder held when the configuration was read.</summary>
    public required SchemaCatalog Schemas { get; init; }

    /// <summary>Partitions of a topic that is made; an existing one keeps its own.</summary>
    public int Partitions { get; init; } = PartitionsUsual;

    /// <summary>The largest event, in bytes.</summary>
    public int BodyBytesMax { get; init; } = 1 << 20;

    /// <summary>Bytes of events that may be on their way to the disk at once; more are turned away to come
    /// again.</summary>
    public long InFlightBytesMax { get; init; } = 64L << 20;
}
