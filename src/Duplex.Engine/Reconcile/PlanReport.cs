using Duplex.Sdk;

namespace Duplex.Engine.Reconcile;

/// <summary>What a sync would do if it started on the records as they are. Nothing is written to find out.</summary>
/// <param name="Sync">The sync's full name.</param>
/// <param name="RecordsA">Records read on A that take part.</param>
/// <param name="RecordsB">Records read on B that take part.</param>
/// <param name="SkippedA">Records of A that a rule leaves out.</param>
/// <param name="SkippedB">Records of B that a rule leaves out.</param>
/// <param name="Linked">Pairs that are linked already.</param>
/// <param name="Link">Pairs that would be linked by the match fields.</param>
/// <param name="LinkEqual">Of those, pairs that agree on every mapped field: no write.</param>
/// <param name="UpdateA">Writes to existing records of A.</param>
/// <param name="UpdateB">Writes to existing records of B.</param>
/// <param name="CreateA">Records that would be created on A.</param>
/// <param name="CreateB">Records that would be created on B.</param>
/// <param name="DeleteA">Records of A that would be deleted.</param>
/// <param name="DeleteB">Records of B that would be deleted.</param>
/// <param name="Conflicts">Pairs with fields that differ on both sides and are decided by policy.</param>
/// <param name="Ambiguous">Records whose match values several records share; they are left alone and reported.</param>
/// <param name="Rejected">Records that the mapping cannot turn into the other side's form.</param>
/// <param name="Samples">A few examples of each kind.</param>
/// <param name="Findings">What the checks of connections and mapping found.</param>
public sealed record PlanReport(
    string Sync, long RecordsA, long RecordsB, long SkippedA, long SkippedB, long Linked, long Link, long LinkEqual,
    long UpdateA, long UpdateB, long CreateA, long CreateB, long DeleteA, long DeleteB, long Conflicts, long Ambiguous,
    long Rejected, IReadOnlyList<PlanSample> Samples, IReadOnlyList<Finding> Findings)
{
    /// <summary>Whether starting would write or link anything.</summary>
    public bool HasChanges => Link + UpdateA + UpdateB + CreateA + CreateB + DeleteA + DeleteB > 0;
}

/// <summary>One example of what the plan counts.</summary>
/// <param name="Kind">The count it belongs to: <c>link</c>, <c>create_a</c>, <c>update_b</c>, <c>ambiguous</c>…</param>
/// <param name="KeyA">The A key, or null.</param>
/// <param name="KeyB">The B key, or null.</param>
/// <param name="Fields">The mapping rules concerned.</param>
/// <param name="Reason">Why, where it is not plain.</param>
public sealed record PlanSample(string Kind, string? KeyA, string? KeyB, IReadOnlyList<string> Fields, string? Reason);

/// <summary>Progress of long work, for a bar: done so far, expected in all (0 if unknown), and what is being
/// done.</summary>
public readonly record struct Progress(long Done, long Expected, string Doing);
