using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>
/// A compiled part of an expression. The lowering fills it in; from then on it does not change and any thread may
/// evaluate it.
/// </summary>
internal abstract class Node(int position)
{
    public int Position { get; } = position;

    /// <summary>A sequence of one element stays an array.</summary>
    public bool KeepsArray { get; set; }

    /// <summary>What filters the node's value.</summary>
    public List<Node>? Predicates { get; set; }

    public Grouping? Grouping { get; set; }

    /// <summary>Where the node is a step of a path, that which the step's results go through.</summary>
    public List<Stage>? Stages { get; set; }

    /// <summary>The step makes rows, since variables are bound by it or by a part of it.</summary>
    public bool MakesRows { get; set; }

    /// <summary>The variable that a step's results are bound to, while the context stays.</summary>
    public string? Focus { get; set; }

    /// <summary>The variable that a result's place is bound to.</summary>
    public string? Index { get; set; }

    /// <summary>The label under which the step's context is kept for a <c>%</c> further on.</summary>
    public ParentSlot? Ancestor { get; set; }

    /// <summary>An array constructor as a step: its array stays one element.</summary>
    public bool IsConstructed { get; set; }

    /// <summary>The parents that are asked for within and that this node itself does not provide.</summary>
    public List<ParentSlot>? Seeking { get; set; }

    protected bool IsBare => Predicates is null && Grouping is null && !KeepsArray;

    public Value Evaluate(in Value input, Frame frame, EvaluationRun run)
    {
        run.Enter();
        var result = Finish(Compute(input, frame, run), frame, run);
        run.Leave();
        return result;
    }

    /// <summary>Makes calls at the node's end go on after the node is left, so that they do not nest.</summary>
    public virtual void MarkTail()
    {
    }

    protected abstract Value Compute(in Value input, Frame frame, EvaluationRun run);

    protected Value Finish(Value result, Frame frame, EvaluationRun run)
    {
        if (Predicates is not null)
        {
            foreach (var predicate in Predicates)
                result = Filter.Apply(predicate, result, frame, run);
        }
        if (Grouping is not null && this is not PathNode)
            result = Grouping.Apply(result, frame, run);
        return result.IsArray && result.Array is { IsSequence: true } sequence and not RowStream
            ? Collapse(result, sequence)
            : result;
    }

    private Value Collapse(in Value value, ArrayValue sequence)
    {
        if (sequence.Count == 0)
            return Value.Undefined;
        if (KeepsArray)
            return sequence.KeepsSingleton || sequence.Count > 1 ? value : Value.Of(Sequences.Kept(sequence));
        return sequence.Count == 1 && !sequence.KeepsSingleton ? sequence[0] : value;
    }
}

/// <summary>The parent that a <c>%</c> stands for: how many levels up it still has to be looked for, and the label
/// under which rows carry it.</summary>
internal sealed class ParentSlot(string label)
{
    public string Label { get; set; } = label;

    public int Level { get; set; } = 1;
}

/// <summary>What a step's results go through.</summary>
internal abstract record Stage;

internal sealed record FilterStage(Node Predicate) : Stage;

internal sealed record IndexStage(string Variable) : Stage;
