using Duplex.Engine.Mapping;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>The validated configuration, immutable: what <c>duplex.yaml</c> means.</summary>
public sealed record EngineModel
{
    /// <summary>The absolute path of the data directory of the embedded stores.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Connections by name.</summary>
    public required IReadOnlyDictionary<string, ConnectionModel> Connections { get; init; }

    /// <summary>Syncs by full name, <c>tenant/name</c>.</summary>
    public required IReadOnlyDictionary<string, SyncModel> Syncs { get; init; }

    /// <summary>Customers of posted tables, by name.</summary>
    public IReadOnlyDictionary<string, CustomerModel> Customers { get; init; } = new Dictionary<string, CustomerModel>();

    /// <summary>The mappings of customers that have none of their own, by table.</summary>
    public IReadOnlyDictionary<string, MappingDocument> GlobalMappings { get; init; } =
        new Dictionary<string, MappingDocument>();

    /// <summary>Sizes and times of the stores.</summary>
    public RetentionModel Retention { get; init; } = new();

    /// <summary>How changes are taken over REST; null when they are not.</summary>
    public IngestModel? Ingest { get; init; }
    /// <summary>Where the change log is kept.</summary>
    public LogModel Log { get; init; } = new();

    /// <summary>Where feeds are stored; null for the data directory.</summary>
    public DynamoDbFeedModel? Feeds { get; init; }
}

/// <summary>How long and how much the stores keep.</summary>
public sealed record RetentionModel
{
    /// <summary>Consumed log entries older than this are removed.</summary>
    public TimeSpan LogAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Bytes per topic; consumed entries above it are removed, unconsumed ones stop the source.</summary>
    public long LogBytes { get; init; } = 8L << 30;

    /// <summary>Timeline lines older than this are removed.</summary>
    public TimeSpan TimelineAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>The most timeline lines kept.</summary>
    public long TimelineRows { get; init; } = 5_000_000;

    /// <summary>How long links of deleted pairs are remembered.</summary>
    public TimeSpan TombstoneAge { get; init; } = TimeSpan.FromDays(30);
}

/// <summary>One connection.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Tenant">Who owns it.</param>
/// <param name="Connector">The connector's code.</param>
/// <param name="Settings">The validated settings.</param>
public sealed record ConnectionModel(string Name, string Tenant, IConnector Connector, ConnectionSettings Settings);

/// <summary>Which way records flow.</summary>
public enum SyncDirection
{
    /// <summary>From A to B only.</summary>
    AToB,
    /// <summary>From B to A only.</summary>
    BToA,
    /// <summary>Both ways.</summary>
    TwoWay,
}

/// <summary>Who wins when both sides changed a field since they last agreed.</summary>
public enum ConflictPolicy
{
    /// <summary>A's value stands.</summary>
    A,
    /// <summary>B's value stands.</summary>
    B,
    /// <summary>The value with the later source time stands; within the skew tolerance A's does.</summary>
    Latest,
    /// <summary>Neither is written; the conflict waits for a person.</summary>
    Manual,
}

/// <summary>What a delete on one side does to the other.</summary>
public enum DeletePolicy
{
    /// <summary>Delete there too.</summary>
    Propagate,
    /// <summary>Create the deleted record again from the other side.</summary>
    Restore,
    /// <summary>Part the pair; the other record stays and is no longer synced.</summary>
    Unlink,
    /// <summary>Hold the delete for a person.</summary>
    Manual,
}

/// <summary>One side of a sync.</summary>
/// <param name="Connection">The connection.</param>
/// <param name="Stream">The stream in it.</param>
/// <param name="OnDelete">What a delete on this side does to the other side.</param>
/// <param name="When">Which of this side's records take part; null for all.</param>
public sealed record SyncSideModel(ConnectionModel Connection, string Stream, DeletePolicy OnDelete, Predicate? When);

/// <summary>One pair of fields by which existing records are paired at first sync.</summary>
/// <param name="A">The path on A.</param>
/// <param name="B">The path on B.</param>
public sealed record MatchField(FieldPath A, FieldPath B);

/// <summary>One sync.</summary>
public sealed record SyncModel
{
    /// <summary>Its name within the tenant.</summary>
    public required string Name { get; init; }

    /// <summary>The tenant, that of both connections.</summary>
    public required string Tenant { get; init; }

    /// <summary><c>tenant/name</c>.</summary>
    public string FullName => $"{Tenant}/{Name}";

    /// <summary>Side A.</summary>
    public required SyncSideModel A { get; init; }

    /// <summary>Side B.</summary>
    public required SyncSideModel B { get; init; }

    /// <summary>Which way records flow.</summary>
    public required SyncDirection Direction { get; init; }

    /// <summary>The mapping rules as configured; compiled against both schemas when the sync starts.</summary>
    public required IReadOnlyList<MappingRule> Mapping { get; init; }

    /// <summary>The fields by which existing records are paired; all must be equal. Empty: nothing is paired.</summary>
    public required IReadOnlyList<MatchField> Match { get; init; }

    /// <summary>The conflict policy of rules that have none of their own.</summary>
    public ConflictPolicy Conflict { get; init; } = ConflictPolicy.Latest;

    /// <summary>Conflict policies by rule name or by either side's path.</summary>
    public IReadOnlyDictionary<string, ConflictPolicy> ConflictByField { get; init; } =
        new Dictionary<string, ConflictPolicy>();

    /// <summary>How far apart two clocks may be before <c>latest</c> believes them.</summary>
    public TimeSpan ConflictSkew { get; init; } = TimeSpan.Zero;

    /// <summary>The most deletes that a leg carries within a minute before it pauses and asks; 0 for no
    /// limit.</summary>
    public int DeleteBrake { get; init; } = 100;

    /// <summary>The path in the configuration, for findings: <c>/syncs/customers</c>.</summary>
    public required string Path { get; init; }

    /// <summary>The given side.</summary>
    public SyncSideModel Of(Side side) => side == Side.A ? A : B;

    /// <summary>Whether the leg that reads the side exists.</summary>
    public bool Flows(Side from) =>
        Direction == SyncDirection.TwoWay || Direction == (from == Side.A ? SyncDirection.AToB : SyncDirection.BToA);
}
