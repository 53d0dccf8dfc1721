using Duplex.Sdk;

namespace Duplex.Engine.State;

/// <summary>
/// Outcomes and the position they allow, stored together or not at all. Filled by one leg, handed to
/// <see cref="IStateStore.CommitAsync"/>.
/// </summary>
public sealed class StateCommit
{
    /// <summary>The owner of the partition positions; its epoch is compared with the store's in the same
    /// commit.</summary>
    public required string Owner { get; init; }

    /// <summary>The epoch that the owner was given by <see cref="IStateStore.AcquireAsync"/>.</summary>
    public required long Epoch { get; init; }

    /// <summary>What changes, applied in order.</summary>
    public List<StateMutation> Mutations { get; } = [];

    /// <summary>Where the owner's consumers continue after this commit; never moves backwards.</summary>
    public List<LegPosition> Positions { get; } = [];
}

/// <summary>The next log offset that a leg wants.</summary>
public sealed record LegPosition(LegId Leg, string Topic, int Partition, long Offset);

/// <summary>One change to the state.</summary>
public abstract record StateMutation
{
    /// <summary>Inserts the link or replaces the one with its id. Fails the commit with
    /// <see cref="LinkTakenException"/> if another link of the sync holds one of its (non-empty) keys.</summary>
    public sealed record PutLink(Link Link) : StateMutation;

    /// <summary>Removes the link.</summary>
    public sealed record RemoveLink(long Id) : StateMutation;

    /// <summary>Inserts or replaces the pending record of its leg and key.</summary>
    public sealed record PutPending(Pending Pending) : StateMutation;

    /// <summary>Removes the pending record of the leg and key, if there is one.</summary>
    public sealed record RemovePending(LegId Leg, RecordKey Key) : StateMutation;

    /// <summary>Adds a dead letter; replaces the one of the same leg, stream and key, so that a record has at most
    /// one.</summary>
    public sealed record PutDeadLetter(DeadLetter Letter) : StateMutation;

    /// <summary>Removes the dead letter of the leg, stream and key, if there is one.</summary>
    public sealed record RemoveDeadLetter(LegId Leg, RecordKey Key, string Stream = "") : StateMutation;

    /// <summary>Inserts or replaces the intent of its leg and key.</summary>
    public sealed record PutIntent(Intent Intent) : StateMutation;

    /// <summary>Removes the intent of the leg and key, if there is one.</summary>
    public sealed record RemoveIntent(LegId Leg, RecordKey Key) : StateMutation;

    /// <summary>Inserts or replaces the candidate of its sync, side and key.</summary>
    public sealed record PutCandidate(Candidate Candidate) : StateMutation;

    /// <summary>Removes the candidate, if there is one.</summary>
    public sealed record RemoveCandidate(string Sync, Side Side, RecordKey Key) : StateMutation;

    /// <summary>Adds a line to a timeline.</summary>
    public sealed record AddTimeline(TimelineEvent Event) : StateMutation;

    /// <summary>Adds a conflict, or replaces the waiting one of the same sync, keys and rule, which keeps its number and its
    /// base.</summary>
    public sealed record PutConflict(Conflict Conflict) : StateMutation;

    /// <summary>Removes the waiting conflict of the keys and rule, if there is one: the sides agree again.</summary>
    public sealed record RemoveConflict(string Sync, RecordKey A, RecordKey B, string Rule) : StateMutation;

    /// <summary>Ends every waiting conflict of the pair; both values are kept with the policy that decided.</summary>
    public sealed record SettleConflicts(
        string Sync, RecordKey A, RecordKey B, Side Winner, string Policy, long AtMicros) : StateMutation;

    /// <summary>Inserts or replaces the version that a leg knows of a record of a stream; null removes it.</summary>
    public sealed record PutVersion(LegId Leg, string Stream, RecordKey Key, string? Version) : StateMutation;

    /// <summary>The leg is gone: its versions go too, bit by bit, with <see cref="IStateStore.ApplyRetentionAsync"/>.</summary>
    public sealed record ForgetVersions(LegId Leg) : StateMutation;

    /// <summary>Stores a small named value (pause flags, snapshot marks, counters); null removes it.</summary>
    public sealed record PutValue(string Name, string? Value) : StateMutation;
}

/// <summary>A link would have given a key a second partner. The commit was not applied.</summary>
public sealed class LinkTakenException(string sync, Side side, RecordKey key)
    : Exception($"A link of {sync} already holds {side.Letter()} key {key}.")
{
    /// <summary>The side whose key is taken.</summary>
    public Side Side { get; } = side;

    /// <summary>The key that is taken.</summary>
    public RecordKey Key { get; } = key;
}
