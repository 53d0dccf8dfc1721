using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

internal sealed class ArrayNode(int position, Node[] items) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        if (items.Length == 1 && items[0] is RangeNode)
            return OfRange(items[0].Evaluate(input, frame, run));
        var result = new ListArray(items.Length) { IsConstructed = IsConstructed };
        foreach (var item in items)
        {
            var value = item.Evaluate(input, frame, run);
            if (value.IsUndefined)
                continue;
            if (item is ArrayNode)
            {
                run.ChargeItems(1);
                result.Add(value);
            }
            else
                Sequences.AddFlat(result, value, run);
        }
        return Value.Of(result);
    }

    private Value OfRange(in Value value)
    {
        ArrayValue array = value.IsArray && value.Array is RangeArray range
            ? range.AsArray()
            : value.IsUndefined ? new ListArray() : ListArray.Single(value);
        array.IsConstructed = IsConstructed;
        return Value.Of(array);
    }
}

internal sealed class ObjectNode(int position, Grouping members) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run) =>
        members.Apply(input, frame, run);
}

internal sealed class BlockNode(int position, Node[] statements) : Node(position)
{
    public Node[] Statements => statements;

    public override void MarkTail()
    {
        if (IsBare && statements.Length > 0)
            statements[^1].MarkTail();
    }

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var scope = new Frame(frame);
        var result = Value.Undefined;
        foreach (var statement in statements)
            result = statement.Evaluate(input, scope, run);
        return result;
    }
}

internal sealed class BindNode(int position, string name, Node value) : Node(position)
{
    private const long BindingBytes = 32;

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        run.Charge(BindingBytes);
        var result = value.Evaluate(input, frame, run);
        frame.Bind(name, result);
        return result;
    }
}

internal sealed class ConditionNode(int position, Node condition, Node then, Node? otherwise) : Node(position)
{
    public override void MarkTail()
    {
        if (!IsBare)
            return;
        then.MarkTail();
        otherwise?.MarkTail();
    }

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        if (Logic.IsTrue(condition.Evaluate(input, frame, run), run))
            return then.Evaluate(input, frame, run);
        return otherwise?.Evaluate(input, frame, run) ?? Value.Undefined;
    }
}

/// <summary>The first operand if it is true (<c>?:</c>) or defined (<c>??</c>), else the second.</summary>
internal sealed class FallbackNode(int position, bool asksForTruth, Node value, Node otherwise) : Node(position)
{
    public override void MarkTail()
    {
        if (IsBare)
            otherwise.MarkTail();
    }

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var first = value.Evaluate(input, frame, run);
        bool isTaken = asksForTruth ? Logic.IsTrue(first, run) : !first.IsUndefined;
        return isTaken ? first : otherwise.Evaluate(input, frame, run);
    }
}
