using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>What a mapping makes of a change, with nothing stored.</summary>
/// <param name="Output">The record; null where there is none.</param>
/// <param name="Error">Why there is none although it is carried.</param>
/// <param name="LeftOut">Whether the mapping's rules leave the change out.</param>
public sealed record TrialOutcome(JsonElement? Output, SyncError? Error, bool LeftOut);

/// <summary>How a candidate differs from the active mapping over changes of the log.</summary>
public sealed record MappingPlan
{
    /// <summary>The changes that were looked at.</summary>
    public int Changes { get; internal set; }

    /// <summary>Both give the same record, or fail alike, or leave it out.</summary>
    public int Same { get; internal set; }

    /// <summary>Both give a record, and not the same.</summary>
    public int Changed { get; internal set; }

    /// <summary>Only the candidate fails.</summary>
    public int NowFailing { get; internal set; }

    /// <summary>The active one fails and the candidate gives a record.</summary>
    public int NowPassing { get; internal set; }

    /// <summary>The candidate leaves out what has been carried.</summary>
    public int NowLeftOut { get; internal set; }

    /// <summary>The candidate carries what has been left out.</summary>
    public int NowCarried { get; internal set; }

    /// <summary>Some of the differences of each kind.</summary>
    public IReadOnlyList<PlanDifference> Samples { get; internal set; } = [];
}

/// <summary>One difference.</summary>
/// <param name="Kind"><c>changed</c>, <c>now_failing</c>, <c>now_passing</c>, <c>now_left_out</c> or <c>now_carried</c>.</param>
/// <param name="Key">The record.</param>
/// <param name="At">The change's place in the log.</param>
/// <param name="Active">What the active mapping gives.</param>
/// <param name="Candidate">What the candidate gives.</param>
public sealed record PlanDifference(
    string Kind, RecordKey Key, EffectivePosition At, TrialOutcome Active, TrialOutcome Candidate);

/// <summary>Counts differences and keeps some of each kind.</summary>
internal sealed class PlanTally
{
    private const int SamplesOfKindMax = 5;

    private readonly MappingPlan _plan = new();
    private readonly List<PlanDifference> _samples = [];

    public void Add(RecordKey key, EffectivePosition at, TrialOutcome active, TrialOutcome candidate)
    {
        _plan.Changes++;
        var kind = Kind(active, candidate);
        if (kind is not null && _samples.Count(s => s.Kind == kind) < SamplesOfKindMax)
        {
            _samples.Add(new PlanDifference(kind, key, at, active, candidate));
        }
    }

    public MappingPlan Result()
    {
        _plan.Samples = _samples;
        return _plan;
    }

    private string? Kind(TrialOutcome active, TrialOutcome candidate)
    {
        switch (active, candidate)
        {
            case ({ Output: { } before }, { Output: { } after }) when !JsonElement.DeepEquals(before, after):
                _plan.Changed++;
                return "changed";
            case ({ Error: null }, { Error: not null }):
                _plan.NowFailing++;
                return "now_failing";
            case ({ Error: not null }, { Output: not null }):
                _plan.NowPassing++;
                return "now_passing";
            case ({ LeftOut: false }, { LeftOut: true }):
                _plan.NowLeftOut++;
                return "now_left_out";
            case ({ LeftOut: true }, { LeftOut: false }):
                _plan.NowCarried++;
                return "now_carried";
            default:
                _plan.Same++;
                return null;
        }
    }
}

/// <summary>A clock that stands still, so that two runs over one change tell the same time.</summary>
internal sealed class StillClock(DateTimeOffset at) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => at;
}
