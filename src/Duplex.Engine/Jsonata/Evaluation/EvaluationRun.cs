using System.Runtime.CompilerServices;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>One evaluation: what it may still use, and its instant.</summary>
internal sealed class EvaluationRun
{
    private const int StepsBetweenChecks = 4096;

    private readonly JsonataLimits _limits;
    private readonly TimeProvider _clock;
    private readonly long _started;
    private long _steps;
    private int _untilCheck = StepsBetweenChecks;
    private long _bytes;
    private int _depth;
    private Random? _random;

    public EvaluationRun(JsonataLimits limits, TimeProvider clock)
    {
        _limits = limits;
        _clock = clock;
        _steps = limits.StepsMax;
        _bytes = limits.BytesMax;
        _started = clock.GetTimestamp();
        NowMillis = clock.GetUtcNow().ToUnixTimeMilliseconds();
    }

    /// <summary>What <c>$now</c> and <c>$millis</c> tell, the same all through the evaluation.</summary>
    public long NowMillis { get; }

    public Random Random => _random ??= new();

    /// <summary>What a regular expression may still take of the time.</summary>
    public TimeSpan TimeLeft
    {
        get
        {
            var left = _limits.TimeMax - _clock.GetElapsedTime(_started);
            return left > TimeSpan.Zero ? left : throw TimeIsUp();
        }
    }

    public void Enter()
    {
        if (++_depth > _limits.DepthMax)
            throw JsonataException.Limit($"The expression nests deeper than {_limits.DepthMax} evaluations.");
        GuardStack();
        Step();
    }

    public void Leave() => _depth--;

    /// <summary>Has to be called wherever a walk over values calls itself.</summary>
    public void GuardStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw JsonataException.Limit("The expression or its values nest deeper than the thread's stack allows.");
    }

    public void Step()
    {
        _steps--;
        if (--_untilCheck <= 0)
            Check();
    }

    /// <summary>Counts a walk over that many elements, before it is made.</summary>
    public void Steps(long count)
    {
        _steps -= count;
        _untilCheck -= (int)Math.Min(count, StepsBetweenChecks);
        if (_untilCheck <= 0 || _steps < 0)
            Check();
    }

    /// <summary>Counts bytes before they are allocated.</summary>
    public void Charge(long bytes)
    {
        if ((_bytes -= bytes) < 0)
            throw JsonataException.Limit($"The expression's values take more than {_limits.BytesMax} bytes.");
    }

    public void ChargeItems(long count) => Charge(count * 24);

    private void Check()
    {
        _untilCheck = StepsBetweenChecks;
        if (_steps < 0)
            throw JsonataException.Limit($"The expression takes more than {_limits.StepsMax} steps.");
        if (_clock.GetElapsedTime(_started) > _limits.TimeMax)
            throw TimeIsUp();
    }

    private JsonataException TimeIsUp() =>
        JsonataException.Limit($"The expression takes longer than {_limits.TimeMax.TotalMilliseconds} ms.");
}
