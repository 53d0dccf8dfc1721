using Duplex.Sdk;

namespace Duplex.Engine.State;

/// <summary>
/// Links, shadows, pending records, intents, dead letters, conflicts, timelines, leg positions and versions. Implementations:
/// embedded (SQLite), PostgreSQL. All members may be called from many tasks at once; reads see every commit that has
/// returned. Reads and commits throw <see cref="SyncException"/> with a storage code when the store cannot do its work.
/// </summary>
public interface IStateStore : IAsyncDisposable
{
    /// <summary>Identifies this installation, made once: 8 characters of <c>a-z2-7</c>.</summary>
    string Installation { get; }

    /// <summary>
    /// Takes ownership under a name (a leg, a source): raises its epoch and returns it. Commits of older epochs are
    /// refused from then on.
    /// </summary>
    ValueTask<long> AcquireAsync(string owner, CancellationToken cancellationToken);

    /// <summary>
    /// Applies mutations and positions in one durable transaction. Commits of different callers are made durable
    /// together.
    /// </summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageFenced"/>: a newer epoch owns the name; nothing was
    /// applied. <see cref="ErrorCode.StorageFull"/>, <see cref="ErrorCode.StorageFailed"/>: nothing was
    /// applied.</exception>
    /// <exception cref="LinkTakenException">A link's key is taken; nothing of this commit was applied (others of the
    /// group were).</exception>
    ValueTask CommitAsync(StateCommit commit, CancellationToken cancellationToken);

    /// <summary>A fresh link number, unique for ever in this store. Does not block.</summary>
    long NextLinkId();

    /// <summary>The links that hold the keys on the side; null where there is none.</summary>
    ValueTask<IReadOnlyList<Link?>> FindLinksAsync(
        string sync, Side side, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken);

    /// <summary>Links of a sync in link-number order, after the given number; empty at the end.</summary>
    ValueTask<IReadOnlyList<Link>> ListLinksAsync(string sync, long afterId, int limit,
        CancellationToken cancellationToken);

    /// <summary>Links of a sync by state.</summary>
    ValueTask<long> CountLinksAsync(string sync, LinkState state, CancellationToken cancellationToken);

    /// <summary>Where a leg continues, for every partition that it has a position for.</summary>
    ValueTask<IReadOnlyList<LegPosition>> ReadPositionsAsync(LegId leg, CancellationToken cancellationToken);

    /// <summary>The pending record of each key; null where there is none.</summary>
    ValueTask<IReadOnlyList<Pending?>> FindPendingAsync(
        LegId leg, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken);

    /// <summary>Pending records of the leg that are due at the time, earliest first.</summary>
    ValueTask<IReadOnlyList<Pending>> ListDueAsync(LegId leg, long nowMicros, int limit,
        CancellationToken cancellationToken);

    /// <summary>How many records are pending, and since when the oldest one is (0 if none).</summary>
    ValueTask<(long Count, long OldestSinceMicros)> CountPendingAsync(LegId leg, CancellationToken cancellationToken);

    /// <summary>When the earliest pending record of the leg is due; null if nothing is pending.</summary>
    ValueTask<long?> NextDueAsync(LegId leg, CancellationToken cancellationToken);

    /// <summary>Every intent of the leg, oldest first. Read at start.</summary>
    ValueTask<IReadOnlyList<Intent>> ListIntentsAsync(LegId leg, CancellationToken cancellationToken);

    /// <summary>Candidates of the sync's side with the match values, at most <paramref name="limit"/> (2 tells unique
    /// from ambiguous).</summary>
    ValueTask<IReadOnlyList<Candidate>> FindCandidatesAsync(
        string sync, Side side, string match, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// What pairing the candidates would give: how many match values have exactly one record on each side, how many
    /// have one side only, and how many are ambiguous.
    /// </summary>
    ValueTask<CandidateCounts> CountCandidatesAsync(string sync, CancellationToken cancellationToken);

    /// <summary>Dead letters, newest first, before the given number (0: from the newest).</summary>
    ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(
        string? sync, long beforeId, int limit, CancellationToken cancellationToken);

    /// <summary>One dead letter by its number, or null.</summary>
    ValueTask<DeadLetter?> FindDeadLetterAsync(long id, CancellationToken cancellationToken);

    /// <summary>The dead letter of each key of a leg that has one stream; null where there is none.</summary>
    ValueTask<IReadOnlyList<DeadLetter?>> FindDeadLettersAsync(
        LegId leg, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken) =>
        FindDeadLettersAsync(leg, "", keys, cancellationToken);

    /// <summary>The dead letter of each key of a stream; null where there is none. One that was put without a stream is each
    /// stream's.</summary>
    ValueTask<IReadOnlyList<DeadLetter?>> FindDeadLettersAsync(
        LegId leg, string stream, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken);

    /// <summary>How many dead letters a leg has.</summary>
    ValueTask<long> CountDeadLettersAsync(LegId leg, CancellationToken cancellationToken);

    /// <summary>The version that the leg knows of each record of the stream; null where it knows none.</summary>
    ValueTask<IReadOnlyList<string?>> FindVersionsAsync(
        LegId leg, string stream, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken);

    /// <summary>A record's timeline, oldest first, found by its key on the side (all keys that its link ever
    /// had).</summary>
    ValueTask<IReadOnlyList<TimelineEvent>> ReadTimelineAsync(
        string sync, Side side, RecordKey key, int limit, CancellationToken cancellationToken);

    /// <summary>Conflicts, newest first, before the given number (0: from the newest); only those that wait for a person if
    /// <paramref name="waiting"/>.</summary>
    ValueTask<IReadOnlyList<Conflict>> ListConflictsAsync(
        string? sync, bool waiting, long beforeId, int limit, CancellationToken cancellationToken);

    /// <summary>One conflict by its number, or null.</summary>
    ValueTask<Conflict?> FindConflictAsync(long id, CancellationToken cancellationToken);

    /// <summary>How many conflicts of the sync wait for a person.</summary>
    ValueTask<long> CountConflictsAsync(string sync, CancellationToken cancellationToken);

    /// <summary>A small named value, or null.</summary>
    ValueTask<string?> ReadValueAsync(string name, CancellationToken cancellationToken);

    /// <summary>Every named value whose name begins with the prefix, in the order of the names' characters.</summary>
    ValueTask<IReadOnlyList<KeyValuePair<string, string>>> ListValuesAsync(
        string prefix, CancellationToken cancellationToken);

    /// <summary>
    /// Removes timeline lines and resolved conflicts beyond their age and number, tombstones older than the given time, and versions
    /// of legs that are gone.
    /// </summary>
    ValueTask ApplyRetentionAsync(long timelineBeforeMicros, long timelineRowsMax, long tombstonesBeforeMicros,
        CancellationToken cancellationToken);

    /// <summary>Null while the store takes commits; otherwise why it does not.</summary>
    SyncError? Obstacle { get; }

    /// <summary>
    /// Completes when the store will take nothing more in this process, because what it would acknowledge could not be
    /// trusted. Its owner ends the process; the next one starts from what is on disk.
    /// </summary>
    Task<SyncError> Failed { get; }
}

/// <summary>Counts over the candidates of a sync.</summary>
/// <param name="Pairs">Match values with exactly one candidate on each side.</param>
/// <param name="OnlyA">Candidates of A without a partner, those without match values included.</param>
/// <param name="OnlyB">Candidates of B without a partner.</param>
/// <param name="AmbiguousA">Candidates of A whose match value several candidates of a side share, with candidates on
/// both sides.</param>
/// <param name="AmbiguousB">The same for B.</param>
public readonly record struct CandidateCounts(long Pairs, long OnlyA, long OnlyB, long AmbiguousA, long AmbiguousB);
