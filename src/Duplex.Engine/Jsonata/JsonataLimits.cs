namespace Duplex.Engine.Jsonata;

/// <summary>What one evaluation of an expression may use. Exceeding any of them ends the evaluation with the error
/// <c>U1001</c>, whose message names the limit.</summary>
public sealed record JsonataLimits
{
    /// <summary>Limits that suit a mapping of one record.</summary>
    public static JsonataLimits Default { get; } = new();

    /// <summary>Evaluated nodes and elements that functions walk over.</summary>
    public long StepsMax { get; init; } = 5_000_000;

    /// <summary>Nested evaluations. A tail call does not nest. Less depth is granted where the thread's stack is
    /// smaller than that.</summary>
    public int DepthMax { get; init; } = 1_000;

    /// <summary>Elapsed time by the clock that the evaluation is given. Also bounds a single regular expression's
    /// search.</summary>
    public TimeSpan TimeMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes, approximately, of all values that the evaluation produces, whether still in use or not.</summary>
    public long BytesMax { get; init; } = 64L << 20;
}
