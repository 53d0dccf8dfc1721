using Duplex.Engine.Jsonata.Evaluation;

namespace Duplex.Engine.Jsonata.Values;

/// <summary>A function: of the library, a closure, a regular expression, a transform, a partial application.</summary>
internal abstract class FunctionValue
{
    /// <summary>How many arguments it takes; higher-order functions pass no more than that.</summary>
    public abstract int Arity { get; }

    /// <summary>Runs it once. The result may be a call that is still to be made; <see cref="Invocation.Apply"/> makes
    /// it.</summary>
    /// <param name="arguments">As many as the caller has.</param>
    /// <param name="context">What stands for an argument that is left out, where the signature says so.</param>
    /// <param name="frame">The variables where the call stands.</param>
    /// <param name="run">The evaluation.</param>
    public abstract Value Invoke(Value[] arguments, in Value context, Frame frame, EvaluationRun run);
}
