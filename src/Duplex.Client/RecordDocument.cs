using System.Text.Json;
using System.Text.Json.Serialization;

namespace Duplex.Client;

/// <summary>Both sides of one record, compared through the mapping, and what happened to it.</summary>
/// <param name="Sync">The sync, <c>tenant/name</c>.</param>
/// <param name="Link">The pairing; null if the record is not linked.</param>
/// <param name="A">The record on side A as it is; null if it is not there.</param>
/// <param name="B">The record on side B as it is.</param>
/// <param name="ErrorA">Why side A could not be read.</param>
/// <param name="ErrorB">Why side B could not be read.</param>
/// <param name="Equal">True if both are there and every mapped field agrees; null if a side could not be read.</param>
/// <param name="Fields">The mapped fields of both sides.</param>
/// <param name="Pending">The delivery that is due later, if any.</param>
/// <param name="DeadLetter">The dead letter of the record, if any.</param>
/// <param name="Timeline">Every change, decision, write, answer and echo, oldest first.</param>
public sealed record RecordDocument(
    string Sync,
    LinkDocument? Link,
    RecordStateDocument? A,
    RecordStateDocument? B,
    ErrorDocument? ErrorA,
    ErrorDocument? ErrorB,
    bool? Equal,
    IReadOnlyList<FieldDocument> Fields,
    PendingDocument? Pending,
    DeadLetterDocument? DeadLetter,
    IReadOnlyList<TimelineDocument> Timeline);

/// <summary>A pairing.</summary>
/// <param name="Id">Its number.</param>
/// <param name="A">The A key.</param>
/// <param name="B">The B key.</param>
/// <param name="State"><c>live</c>, <c>deleted</c> or <c>unlinked</c>.</param>
public sealed record LinkDocument(long Id, string? A, string? B, string State);

/// <summary>A record as one side has it.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Fields">All its fields.</param>
public sealed record RecordStateDocument(string Key, JsonElement Fields);

/// <summary>One mapping rule's values on both sides.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="A">A's value; null where absent.</param>
/// <param name="B">B's value; null where absent.</param>
/// <param name="Equal">Whether they agree through the mapping.</param>
public sealed record FieldDocument(string Rule, JsonElement? A, JsonElement? B, bool Equal);

/// <summary>A delivery that is due later.</summary>
/// <param name="From">The side it comes from.</param>
/// <param name="Key">The record's key on that side.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="Since">When it became pending.</param>
/// <param name="DueAt">When it is tried next.</param>
/// <param name="Error">Why; null if it waits for something else.</param>
public sealed record PendingDocument(
    string From, string Key, int Attempts, DateTimeOffset Since, DateTimeOffset DueAt, ErrorDocument? Error);

/// <summary>One line of a timeline.</summary>
/// <param name="At">When.</param>
/// <param name="Kind"><c>seen</c>, <c>echo</c>, <c>filtered</c>, <c>agreed</c>, <c>linked</c>, <c>written</c>,
/// <c>retrying</c>, <c>dead_lettered</c>, <c>conflict</c>, <c>replayed</c>, <c>unlinked</c>,
/// <c>held</c> or <c>superseded</c>.</param>
/// <param name="Side">The side that it happened at.</param>
/// <param name="A">The A key; null if not known then.</param>
/// <param name="B">The B key; null if not known then.</param>
/// <param name="Detail">What happened.</param>
public sealed record TimelineDocument(
    DateTimeOffset At, string Kind, string Side, string? A, string? B, JsonElement? Detail);

/// <summary>A change that cannot be delivered without a person.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Sync">The sync, <c>tenant/name</c>.</param>
/// <param name="From">The side it comes from.</param>
/// <param name="Key">The record's key on that side.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="At">When it was parked.</param>
/// <param name="Error">The cause.</param>
/// <param name="Change">The change, in Debezium's envelope; only where one dead letter is asked for.</param>
public sealed record DeadLetterDocument(
    long Id,
    string Sync,
    string From,
    string Key,
    int Attempts,
    DateTimeOffset At,
    ErrorDocument Error,
    JsonElement? Change);

/// <summary>Which dead letters to replay: some by number, or all of a sync.</summary>
/// <param name="Ids">Numbers; null when a sync is named.</param>
/// <param name="Sync">The sync, <c>tenant/name</c>; null when numbers are given.</param>
public sealed record ReplayRequest(IReadOnlyList<long>? Ids = null, string? Sync = null);

/// <summary>What a replay took up.</summary>
/// <param name="Asked">How many dead letters were asked for.</param>
/// <param name="Replayed">How many were taken up; the others are no longer there.</param>
public sealed record ReplayDocument(int Asked, int Replayed);

/// <summary>A conflict on one field.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Sync">The sync, <c>tenant/name</c>.</param>
/// <param name="A">The A key.</param>
/// <param name="B">The B key.</param>
/// <param name="Rule">The mapping rule.</param>
/// <param name="ValueA">A's value.</param>
/// <param name="ValueB">B's value.</param>
/// <param name="Base">What A held when the two last agreed; null if they never did, or if it is not known.</param>
/// <param name="Winner">The side whose value stands; null while it waits for a person.</param>
/// <param name="Policy">What decided: <c>a</c>, <c>b</c>, <c>latest</c>; <c>manual</c> for a person, <c>given</c> where the
/// person gave a third value; <c>delete</c> where the winner's side deleted the record.</param>
/// <param name="At">When.</param>
public sealed record ConflictDocument(
    long Id,
    string Sync,
    string? A,
    string? B,
    string Rule,
    JsonElement? ValueA,
    JsonElement? ValueB,
    JsonElement? Base,
    string? Winner,
    string Policy,
    DateTimeOffset At);

/// <summary>What a person decides about a conflict.</summary>
/// <param name="Use">The side whose value stands: <c>a</c> or <c>b</c>.</param>
public sealed record ResolveRequest(string Use)
{
    /// <summary>Another value, written as side <see cref="Use"/> writes it, which both sides get; left out for the side's
    /// own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public JsonElement Value { get; init; }
}
