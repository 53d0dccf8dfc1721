using System.Runtime.CompilerServices;
using Duplex.Engine.Schemas.Documents;

namespace Duplex.Engine.Schemas;

/// <summary>One evaluation: what it has used up, and the dynamic scope where the schema needs one.</summary>
internal ref struct Run
{
    private const int DepthMax = 1_000;
    private const int StepsMax = 5_000_000;
    private const int DepthUnchecked = 40;
    private static readonly TimeSpan PatternTimeMax = TimeSpan.FromSeconds(4);

    private readonly List<SchemaResource>? _scope;
    private int _depth;
    private int _steps;
    private TimeSpan _patternTime;

    public Run(bool tracksScope) => _scope = tracksScope ? [] : null;

    /// <summary>Why the evaluation was given up; null while it goes on.</summary>
    public string? Fault { get; private set; }

    /// <summary>The resources entered, outermost first.</summary>
    public readonly List<SchemaResource>? Scope => _scope;

    /// <summary>Begins a schema; false when the evaluation is given up.</summary>
    public bool Enter(SchemaNode node)
    {
        if (Fault is not null)
            return false;
        if (++_steps > StepsMax)
            return GiveUp($"it takes more than {StepsMax} steps");
        if (++_depth > DepthMax || (_depth > DepthUnchecked && !RuntimeHelpers.TryEnsureSufficientExecutionStack()))
        {
            _depth--;
            return GiveUp("it is nested too deeply");
        }

        _scope?.Add(node.Resource);
        return true;
    }

    /// <summary>Ends a schema that was begun.</summary>
    public void Leave()
    {
        _depth--;
        _scope?.RemoveAt(_scope.Count - 1);
    }

    /// <summary>Ends the evaluation without an answer.</summary>
    public bool GiveUp(string reason)
    {
        Fault ??= reason;
        return false;
    }

    /// <summary>Counts the time of patterns that can take long.</summary>
    public bool Spend(TimeSpan patternTime)
    {
        _patternTime += patternTime;
        return _patternTime <= PatternTimeMax || GiveUp($"its patterns take more than {PatternTimeMax.TotalSeconds} s");
    }
}
