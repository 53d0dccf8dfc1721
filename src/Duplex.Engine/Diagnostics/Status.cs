using Duplex.Engine.Push;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Diagnostics;

/// <summary>What a connection, leg or the whole is doing.</summary>
public enum RunState
{
    /// <summary>Connecting or checking.</summary>
    Starting,
    /// <summary>First sync: reading both sides, pairing.</summary>
    FirstSync,
    /// <summary>Data moves as it changes.</summary>
    Running,
    /// <summary>Something failed and is tried again by itself; <c>Error</c> says what and <c>NextAttemptAt</c>
    /// when.</summary>
    Retrying,
    /// <summary>A person paused it.</summary>
    Paused,
    /// <summary>It stopped and waits for a person; <c>Error</c> says why and what to do.</summary>
    Blocked,
    /// <summary>Not running.</summary>
    Stopped,
}

/// <summary>The whole engine at one instant.</summary>
public sealed record EngineStatus(
    bool Ready,
    IReadOnlyList<string> NotReadyBecause,
    DateTimeOffset StartedAt,
    SyncError? Storage,
    IReadOnlyList<ConnectionStatus> Connections,
    IReadOnlyList<SyncStatus> Syncs)
{
    /// <summary>The customers of posted tables.</summary>
    public IReadOnlyList<CustomerStatus> Customers { get; init; } = [];
}

/// <summary>One customer of posted tables.</summary>
/// <param name="Tenant">Whose changes it gets.</param>
/// <param name="Name">Its name, and its feed's.</param>
/// <param name="State">What its leg does.</param>
/// <param name="Behind">Log entries of its tables that are not in its feed yet.</param>
/// <param name="DeadLetters">Changes that wait for a person.</param>
/// <param name="Seen">Changes read since the start of the process.</param>
/// <param name="Written">Records appended to the feed since then.</param>
/// <param name="Filtered">Changes that a rule left out.</param>
/// <param name="Failed">Failed attempts to append.</param>
/// <param name="FirstOffset">The first offset of the feed that can be read.</param>
/// <param name="LastOffset">The offset of the feed's last record; 0 before the first.</param>
/// <param name="Error">Why it is retrying or blocked.</param>
public sealed record CustomerStatus(
    string Tenant,
    string Name,
    RunState State,
    long Behind,
    long DeadLetters,
    long Seen,
    long Written,
    long Filtered,
    long Failed,
    long FirstOffset,
    long LastOffset,
    SyncError? Error)
{
    /// <summary>Changes that were left out because a change of a higher version of their record came before them.</summary>
    public long Superseded { get; init; }

    /// <summary>The partitions of its tables that this process carries into the feed: <c>users/0</c>.</summary>
    public IReadOnlyList<string> Owned { get; init; } = [];

    /// <summary>How many partitions its tables have; those that are not owned are other members' of its consumer group, or
    /// nobody's at the moment.</summary>
    public int Partitions { get; init; }

    /// <summary>How its feed is pushed; null when it is only polled.</summary>
    public PushStatus? Push { get; init; }
}

/// <summary>One connection.</summary>
public sealed record ConnectionStatus(
    string Tenant,
    string Name,
    string Connector,
    RunState State,
    string? Position,
    SourceState? Source,
    DateTimeOffset? LastAppendAt,
    long AppendedTotal,
    SyncError? Error,
    DateTimeOffset? NextAttemptAt);

/// <summary>One sync.</summary>
public sealed record SyncStatus(
    string Tenant,
    string Name,
    string FullName,
    RunState State,
    long Links,
    long ConflictsWaiting,
    IReadOnlyList<LegStatus> Legs);

/// <summary>One leg.</summary>
/// <param name="From">The side it reads: <c>a</c> or <c>b</c>.</param>
/// <param name="State">What it does.</param>
/// <param name="Behind">Log entries that it has not passed yet.</param>
/// <param name="OldestUnpassedSeconds">The age of the oldest of them: the lag.</param>
/// <param name="Pending">Records whose delivery is due later.</param>
/// <param name="OldestPendingSeconds">The age of the oldest pending record.</param>
/// <param name="DeadLetters">Changes that wait for a person.</param>
/// <param name="Seen">Changes read since the start of the process.</param>
/// <param name="Written">Writes applied at the sink since then.</param>
/// <param name="Agreed">Changes that needed no write.</param>
/// <param name="Echoes">Changes that were our own writes coming back.</param>
/// <param name="Failed">Failed attempts.</param>
/// <param name="Error">Why it is retrying or blocked.</param>
public sealed record LegStatus(
    string From,
    RunState State,
    long Behind,
    double OldestUnpassedSeconds,
    long Pending,
    double OldestPendingSeconds,
    long DeadLetters,
    long Seen,
    long Written,
    long Agreed,
    long Echoes,
    long Failed,
    SyncError? Error);

/// <summary>Both sides of one record and what happened to it.</summary>
public sealed record RecordView(
    string Sync,
    Link? Link,
    FetchedRecord? A,
    FetchedRecord? B,
    SyncError? ErrorA,
    SyncError? ErrorB,
    IReadOnlyList<FieldComparison> Fields,
    Pending? Pending,
    DeadLetter? DeadLetter,
    IReadOnlyList<TimelineEvent> Timeline);

/// <summary>One mapping rule's values on both sides of a record, as JSON text; null where absent.</summary>
public sealed record FieldComparison(string Rule, string? A, string? B, bool Equal);
