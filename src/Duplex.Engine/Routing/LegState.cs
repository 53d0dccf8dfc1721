using System.Collections.Concurrent;
using Duplex.Engine.Links;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>What one leg keeps in memory while it runs.</summary>
internal sealed class LegState(SyncContext sync, Side from, Committer committer)
{
    private readonly Lock _pendingLock = new();
    private int _pendingWrites;
    private long _pendingCommits;
    private volatile bool _hasPending = true;

    public LegId Id { get; } = sync.Leg(from);

    public Side From { get; } = from;

    public Side To { get; } = from.Other();

    /// <summary>Whether it writes; a leg that does not only keeps candidates and links up to date.</summary>
    public bool Flows { get; } = sync.Model.Flows(from);

    public Committer Committer { get; } = committer;

    public KeyGates Gates { get; } = new();

    /// <summary>Wakes the pending loop.</summary>
    public Bell PendingDue { get; } = new();

    /// <summary>Writes that were announced and whose outcome is not recorded, by the key of their record.</summary>
    public ConcurrentDictionary<RecordKey, Intent> Intents { get; } = new();

    public required LegCounters Counters { get; init; }

    public required DeleteBrake Brake { get; init; }

    /// <summary>By partition: entries before this offset were indexed before any delivery began, on both
    /// sides.</summary>
    public Dictionary<int, long> Indexed { get; init; } = [];

    /// <summary>Whether the change was indexed before any delivery began, so that later ones of its record may be known
    /// already.</summary>
    public bool IsFirstPass(Turn turn) =>
        turn.Partition >= 0 && Indexed.GetValueOrDefault(turn.Partition) > turn.Offset;

    /// <summary>Whether the leg may have dead letters; while not, none are looked up.</summary>
    public bool MayHaveDeadLetters { get; set; } = true;

    /// <summary>Whether the leg may have pending records; while not, none are looked up.</summary>
    public bool MayHavePending => _hasPending || Volatile.Read(ref _pendingWrites) > 0;

    /// <summary>Brackets a commit that makes a record pending.</summary>
    public async Task CommitPendingAsync(Func<Task> commit)
    {
        Interlocked.Increment(ref _pendingWrites);
        try
        {
            await commit();
            NoticePending();
        }
        finally
        {
            Interlocked.Decrement(ref _pendingWrites);
        }
    }

    /// <summary>Tells that a record was made pending.</summary>
    public void NoticePending()
    {
        lock (_pendingLock)
        {
            _hasPending = true;
            _pendingCommits++;
        }

        PendingDue.Ring();
    }

    /// <summary>Asks the store when the next record is due; null for none. Until it is known that nothing is pending, and
    /// that nothing came since the question, <see cref="MayHavePending"/> stays true.</summary>
    public async ValueTask<long?> RefreshPendingAsync(CancellationToken cancellationToken)
    {
        var before = Volatile.Read(ref _pendingCommits);
        if (await sync.Store.NextDueAsync(Id, cancellationToken) is { } due)
        {
            return due;
        }

        lock (_pendingLock)
        {
            _hasPending = _pendingCommits != before;
        }

        return null;
    }

    /// <summary>A record with an announced write got another key.</summary>
    public void Rename(Intent from, Intent to)
    {
        Intents.TryRemove(from.Key, out _);
        Intents[to.Key] = to;
        sync.CreatesFrom(From).Rename(from.Key, to.Key);
    }
}
