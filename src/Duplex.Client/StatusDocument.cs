namespace Duplex.Client;

/// <summary>The whole at one instant.</summary>
/// <param name="Ready">True only while data moves on every connection and sync that is not paused.</param>
/// <param name="NotReadyBecause">One sentence per reason; empty when ready.</param>
/// <param name="Version">The version of the server.</param>
/// <param name="StartedAt">When the engine started.</param>
/// <param name="Storage">Why the stores take no commits; null while they do.</param>
/// <param name="Connections">Every connection the caller may see.</param>
/// <param name="Syncs">Every sync the caller may see.</param>
public sealed record StatusDocument(
    bool Ready,
    IReadOnlyList<string> NotReadyBecause,
    string Version,
    DateTimeOffset StartedAt,
    ErrorDocument? Storage,
    IReadOnlyList<ConnectionDocument> Connections,
    IReadOnlyList<SyncDocument> Syncs)
{
    /// <summary>The customers of posted tables that the caller may see.</summary>
    public IReadOnlyList<CustomerStateDocument> Customers { get; init; } = [];

    /// <summary>What became of posted events; null where none are taken, or for a key of one tenant.</summary>
    public IngestDocument? Ingest { get; init; }
}

/// <summary>How far a customer of posted tables is.</summary>
/// <param name="Tenant">Whose changes it gets.</param>
/// <param name="Name">Its name, and its feed's.</param>
/// <param name="Progress">How far it is.</param>
public sealed record CustomerStateDocument(string Tenant, string Name, CustomerProgressDocument Progress);

/// <summary>What became of posted events since the start of the process.</summary>
/// <param name="Tables">Tables that have a schema.</param>
/// <param name="Taken">Events that are on disk.</param>
/// <param name="Repeated">Events that were there already, by their delivery id.</param>
/// <param name="Refused">Events that were not taken.</param>
public sealed record IngestDocument(int Tables, long Taken, long Repeated, long Refused);

/// <summary>One connection.</summary>
/// <param name="Tenant">Who owns it.</param>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Connector">The connector's code.</param>
/// <param name="State"><c>starting</c>, <c>first_sync</c>, <c>running</c>, <c>retrying</c>, <c>paused</c>,
/// <c>blocked</c> or <c>stopped</c>.</param>
/// <param name="Position">How far its source is durably read; null before the first append.</param>
/// <param name="Source">What its source says of itself; null if nothing reads it.</param>
/// <param name="LastAppendAt">When a change was last appended to the change log.</param>
/// <param name="AppendedTotal">Changes appended since the start of the process.</param>
/// <param name="Error">Why it is retrying or blocked.</param>
/// <param name="NextAttemptAt">When it is tried again.</param>
public sealed record ConnectionDocument(
    string Tenant,
    string Name,
    string Connector,
    string State,
    string? Position,
    SourceDocument? Source,
    DateTimeOffset? LastAppendAt,
    long AppendedTotal,
    ErrorDocument? Error,
    DateTimeOffset? NextAttemptAt);

/// <summary>What a source says of itself.</summary>
/// <param name="Phase"><c>starting</c>, <c>snapshot</c> or <c>streaming</c>.</param>
/// <param name="SnapshotRows">Rows read by the running or last snapshot.</param>
/// <param name="SnapshotRowsExpected">The estimate; 0 when unknown.</param>
/// <param name="LagBytes">History that the source holds beyond what is confirmed.</param>
/// <param name="LastHeardAt">When the source last said anything.</param>
/// <param name="Warning">Something that needs an eye before it becomes an error.</param>
public sealed record SourceDocument(
    string Phase, long SnapshotRows, long SnapshotRowsExpected, long LagBytes, DateTimeOffset? LastHeardAt,
        string? Warning);

/// <summary>One sync.</summary>
/// <param name="Tenant">Who owns it.</param>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="A">Side A as <c>connection:stream</c>.</param>
/// <param name="B">Side B as <c>connection:stream</c>.</param>
/// <param name="Direction"><c>two_way</c>, <c>a_to_b</c> or <c>b_to_a</c>.</param>
/// <param name="State">As of a connection.</param>
/// <param name="Links">Live pairs.</param>
/// <param name="ConflictsWaiting">Conflicts that wait for a person.</param>
/// <param name="Legs">Its directions.</param>
public sealed record SyncDocument(
    string Tenant,
    string Name,
    string A,
    string B,
    string Direction,
    string State,
    long Links,
    long ConflictsWaiting,
    IReadOnlyList<LegDocument> Legs);

/// <summary>One direction of a sync.</summary>
/// <param name="From">The side it reads: <c>a</c> or <c>b</c>.</param>
/// <param name="State">As of a connection.</param>
/// <param name="Behind">Log entries not passed yet.</param>
/// <param name="LagSeconds">The age of the oldest of them.</param>
/// <param name="Pending">Records whose delivery is due later.</param>
/// <param name="OldestPendingSeconds">The age of the oldest of them.</param>
/// <param name="DeadLetters">Changes that wait for a person.</param>
/// <param name="Seen">Changes read since the start of the process.</param>
/// <param name="Written">Writes applied at the other side since then.</param>
/// <param name="Agreed">Changes that needed no write.</param>
/// <param name="Echoes">Changes that were our own writes coming back.</param>
/// <param name="Failed">Failed attempts.</param>
/// <param name="Error">Why it is retrying or blocked.</param>
public sealed record LegDocument(
    string From,
    string State,
    long Behind,
    double LagSeconds,
    long Pending,
    double OldestPendingSeconds,
    long DeadLetters,
    long Seen,
    long Written,
    long Agreed,
    long Echoes,
    long Failed,
    ErrorDocument? Error);

/// <summary>What became of a command to a sync or connection.</summary>
/// <param name="Name">The sync or connection, <c>tenant/name</c>.</param>
/// <param name="Done">What was done: <c>paused</c>, <c>resumed</c>, <c>resnapshot_started</c>.</param>
public sealed record CommandDocument(string Name, string Done);

/// <summary>What the checks of one sync's mapping found.</summary>
/// <param name="Tenant">Who owns it.</param>
/// <param name="Name">Its name.</param>
/// <param name="Ok">Whether nothing of severity <c>error</c> was found.</param>
/// <param name="Findings">Every finding.</param>
public sealed record SyncCheckDocument(string Tenant, string Name, bool Ok, IReadOnlyList<FindingDocument> Findings);

/// <summary>What the checks of one connection found.</summary>
/// <param name="Tenant">Who owns it.</param>
/// <param name="Name">Its name.</param>
/// <param name="Connector">The connector's code.</param>
/// <param name="Ok">Whether nothing of severity <c>error</c> was found.</param>
/// <param name="Findings">Every finding.</param>
public sealed record CheckDocument(
    string Tenant, string Name, string Connector, bool Ok, IReadOnlyList<FindingDocument> Findings);
