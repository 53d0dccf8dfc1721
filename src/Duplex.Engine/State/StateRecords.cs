using Duplex.Sdk;

namespace Duplex.Engine.State;

/// <summary>Identifies one direction of a sync: it reads <paramref name="From"/> and writes the other side.</summary>
/// <param name="Sync">The sync's full name, <c>tenant/name</c>.</param>
/// <param name="From">The side whose changes it carries.</param>
public readonly record struct LegId(string Sync, Side From)
{
    /// <summary><c>acme/customers:a</c> is the leg from A to B.</summary>
    public override string ToString() => $"{Sync}:{From.Letter()}";
}

/// <summary>The pairing of an A record with a B record. Per sync, a key of either side is in at most one
/// link.</summary>
public sealed record Link
{
    /// <summary>The link's number, unique in the store, given at its creation by
    /// <see cref="IStateStore.NextLinkId"/>.</summary>
    public required long Id { get; init; }

    /// <summary>The sync's full name.</summary>
    public required string Sync { get; init; }

    /// <summary>The A record's key; empty when only B is known (A is being created, or was deleted and is
    /// remembered).</summary>
    public RecordKey A { get; init; }

    /// <summary>The B record's key; empty when only A is known.</summary>
    public RecordKey B { get; init; }

    /// <summary>The shadow, A's form: the mapped fields as both sides last agreed on them. UTF-8 JSON object by
    /// path.</summary>
    public ReadOnlyMemory<byte> ShadowA { get; init; }

    /// <summary>The shadow, B's form.</summary>
    public ReadOnlyMemory<byte> ShadowB { get; init; }

    /// <summary>The source time of the youngest A state that the shadow holds, microseconds since 1970 UTC.</summary>
    public long VersionA { get; init; }

    /// <summary>The same for B.</summary>
    public long VersionB { get; init; }

    /// <summary>What the link is: live, or a tombstone that keeps late changes from bringing a deleted record
    /// back.</summary>
    public LinkState State { get; init; }

    /// <summary>Marks of our last writes at A and B with the values that they replaced, and the rules that wait for a
    /// person, as UTF-8 JSON; empty if there are none.</summary>
    public ReadOnlyMemory<byte> Marks { get; init; }

    /// <summary>The key of the given side.</summary>
    public RecordKey Key(Side side) => side == Side.A ? A : B;

    /// <summary>The link with another record, shadow and version on the given side.</summary>
    public Link With(Side side, RecordKey key, ReadOnlyMemory<byte> shadow = default, long version = 0) =>
        side == Side.A
            ? this with { A = key, ShadowA = shadow, VersionA = version }
            : this with { B = key, ShadowB = shadow, VersionB = version };
}

/// <summary>What a link is.</summary>
public enum LinkState : byte
{
    /// <summary>Both records exist.</summary>
    Live = 0,
    /// <summary>Both are deleted; kept until retention so that late and repeated changes find it.</summary>
    Deleted = 1,
    /// <summary>A person or a policy parted them; changes of either side are ignored.</summary>
    Unlinked = 2,
}

/// <summary>A record whose delivery is due later. At most one per leg and record.</summary>
/// <param name="Leg">The leg.</param>
/// <param name="Key">The record's key at the leg's source side.</param>
/// <param name="Envelope">The folded change to deliver: the latest state, as an envelope.</param>
/// <param name="Offset">The log offset of the youngest change that is folded in.</param>
/// <param name="DueMicros">When to try next, microseconds since 1970 UTC.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="SinceMicros">When it became pending.</param>
/// <param name="Error">Why; null if it waits for something that is no failure.</param>
public sealed record Pending(
    LegId Leg, RecordKey Key, ReadOnlyMemory<byte> Envelope, long Offset, long DueMicros, int Attempts,
        long SinceMicros,
    SyncError? Error);

/// <summary>A change that cannot be delivered without a person.</summary>
/// <param name="Id">Its number, given by the store on insertion (0 before).</param>
/// <param name="Leg">The leg.</param>
/// <param name="Key">The record's key at the leg's source side.</param>
/// <param name="Envelope">The change.</param>
/// <param name="Offset">Its log offset, so that a replay never overwrites something younger.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="AtMicros">When it was parked.</param>
/// <param name="Error">The cause.</param>
public sealed record DeadLetter(
    long Id, LegId Leg, RecordKey Key, ReadOnlyMemory<byte> Envelope, long Offset, int Attempts, long AtMicros,
        SyncError Error)
{
    /// <summary>The table of the record where the leg has several, as a customer's has; otherwise empty.</summary>
    public string Stream { get; init; } = "";
}

/// <summary>A write that is about to be sent and whose outcome is not known yet. Repeated as it is after a crash,
/// before anything else is done for its record.</summary>
/// <param name="Leg">The leg.</param>
/// <param name="Key">The record's key at the leg's source side.</param>
/// <param name="IdempotencyKey">The key it is sent under.</param>
/// <param name="Fields">The exact fields, UTF-8 JSON.</param>
/// <param name="Envelope">The change it came from.</param>
/// <param name="Offset">The change's log offset.</param>
/// <param name="AtMicros">When it was first sent.</param>
public sealed record Intent(
    LegId Leg, RecordKey Key, string IdempotencyKey, ReadOnlyMemory<byte> Fields, ReadOnlyMemory<byte> Envelope,
        long Offset,
    long AtMicros);

/// <summary>A record that no link holds yet, indexed by its match values, for pairing.</summary>
/// <param name="Sync">The sync's full name.</param>
/// <param name="Side">The side it is on.</param>
/// <param name="Key">Its key.</param>
/// <param name="Match">The match values in comparable form; null when it has none (a null e-mail) and matches
/// nothing.</param>
public sealed record Candidate(string Sync, Side Side, RecordKey Key, string? Match);

/// <summary>One line of a record's timeline.</summary>
/// <param name="Sync">The sync's full name.</param>
/// <param name="A">The A key, empty if not known.</param>
/// <param name="B">The B key, empty if not known.</param>
/// <param name="AtMicros">When.</param>
/// <param name="Kind">What kind of thing.</param>
/// <param name="Side">The side that it happened at.</param>
/// <param name="Detail">What happened, as a UTF-8 JSON object.</param>
public sealed record TimelineEvent(
    string Sync, RecordKey A, RecordKey B, long AtMicros, TimelineKind Kind, Side Side, ReadOnlyMemory<byte> Detail);

/// <summary>The kinds of timeline lines.</summary>
public enum TimelineKind : byte
{
    /// <summary>A change arrived.</summary>
    Seen = 0,
    /// <summary>It was our own write coming back.</summary>
    Echo = 1,
    /// <summary>A rule left it out.</summary>
    Filtered = 2,
    /// <summary>Nothing to do: both sides agree.</summary>
    Agreed = 3,
    /// <summary>Two existing records were paired.</summary>
    Linked = 4,
    /// <summary>Written to the other side.</summary>
    Written = 5,
    /// <summary>An attempt failed and will be repeated.</summary>
    Retrying = 6,
    /// <summary>Parked as a dead letter.</summary>
    DeadLettered = 7,
    /// <summary>Both sides had changed a field; says which value lost and why.</summary>
    Conflict = 8,
    /// <summary>Replayed by a person.</summary>
    Replayed = 9,
    /// <summary>The pair was parted.</summary>
    Unlinked = 10,
    /// <summary>Held back (brake, ambiguous match, manual policy).</summary>
    Held = 11,
    /// <summary>Left out: its version is lower than one that was seen before.</summary>
    Superseded = 12,
}

/// <summary>A conflict on one field: the value that lost, kept with the policy that beat it, or waiting for a
/// person.</summary>
/// <param name="Id">Its number, given by the store on insertion (0 before).</param>
/// <param name="Sync">The sync's full name.</param>
/// <param name="A">The A key.</param>
/// <param name="B">The B key.</param>
/// <param name="Rule">The mapping rule's name.</param>
/// <param name="ValueA">A's value as JSON.</param>
/// <param name="ValueB">B's value as JSON.</param>
/// <param name="Winner">The side whose value stands; null while it waits.</param>
/// <param name="Policy">What decided: <c>a</c>, <c>b</c>, <c>latest</c>; <c>manual</c> for a person's choice between the
/// two, <c>given</c> where the person gave a third value, in the winner's form; <c>delete</c> where the winner's side deleted
/// the record.</param>
/// <param name="AtMicros">When.</param>
/// <param name="Base">What A held when the two last agreed, as JSON; null if they never did, or if it is not known.</param>
public sealed record Conflict(
    long Id, string Sync, RecordKey A, RecordKey B, string Rule, string ValueA, string ValueB, Side? Winner,
    string Policy, long AtMicros, string? Base = null);
