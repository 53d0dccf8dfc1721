using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>Steps, each of which is evaluated for every result of the one before.</summary>
internal sealed class PathNode(int position) : Node(position)
{
    public List<Node> Steps { get; } = [];

    /// <summary>A step says that a single result stays an array.</summary>
    public bool KeepsSingletonArray { get; set; }

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        bool isWhole = !input.IsArray || Steps[0] is VariableNode;
        var result = Walk(input, isWhole, frame, run, out var rows);
        if (rows is not null)
        {
            if (Grouping is not null)
                return Grouping.Apply(Value.Of(rows), frame, run);
            result = Value.Of(MakesRows ? rows : rows.Contexts());
        }
        if (KeepsSingletonArray && result.IsArray)
            result = Keep(result);
        else if (KeepsSingletonArray && !result.IsUndefined)
            result = Value.Of(Sequences.Kept(ListArray.Sequence(result)));
        return Grouping is null ? result : Grouping.Apply(result, frame, run);
    }

    private static Value Keep(in Value value)
    {
        var array = value.Array;
        if (array is RowStream)
            return value;
        if (array.IsSequence)
            return array.KeepsSingleton ? value : Value.Of(Sequences.Kept(array));
        return array.IsConstructed ? Value.Of(Sequences.Kept(ListArray.Sequence(value))) : value;
    }

    /// <summary>Evaluates the steps one after the other.</summary>
    /// <param name="input">The context.</param>
    /// <param name="isWhole">The context is one item even if it is an array.</param>
    /// <param name="frame">The variables.</param>
    /// <param name="run">The evaluation.</param>
    /// <param name="rows">The result if the path binds variables; else null.</param>
    private Value Walk(in Value input, bool isWhole, Frame frame, EvaluationRun run, out RowStream? rows)
    {
        rows = null;
        var current = input;
        for (int i = 0; i < Steps.Count; i++)
        {
            var step = Steps[i];
            bool isLast = i == Steps.Count - 1;
            if (i == 0 && step is { IsConstructed: true, MakesRows: false })
            {
                current = step.Evaluate(isWhole ? Value.Of(ListArray.Sequence(current)) : current, frame, run);
                isWhole = !current.IsArray;
            }
            else if (step.MakesRows || rows is not null)
            {
                rows = RowStep.Apply(step, rows, isWhole ? ListArray.Sequence(current) : current.Array, frame, run);
                continue;
            }
            else if (step is OrderNode order)
            {
                current = order.Sort(isWhole ? ListArray.Sequence(current) : current.Array, frame, run);
                if (step.Stages is not null)
                    current = Filter.Stages(step.Stages, current, frame, run);
                isWhole = !current.IsArray;
            }
            else if (isWhole)
                current = Single(step, current, isLast, frame, run, out isWhole);
            else
            {
                current = Every(step, current.Array, isLast, frame, run);
                isWhole = false;
            }
            if (current.IsUndefined || !isWhole && current.Array.Count == 0)
                return isLast || step.IsConstructed ? current : Value.Undefined;
        }
        return current;
    }

    /// <summary>A step for one item. Its result is handed on without a sequence around it.</summary>
    private static Value Single(Node step, in Value item, bool isLast, Frame frame, EvaluationRun run, out bool isWhole)
    {
        var result = Stepped(step, item, frame, run);
        isWhole = true;
        if (!result.IsArray)
            return result;
        var array = result.Array;
        if (isLast && !array.IsSequence)
        {
            isWhole = false;
            return result;
        }
        if (array.IsConstructed)
            return result;
        isWhole = false;
        return isLast && array.KeepsSingleton ? Value.Of(Unkept(array)) : result;
    }

    private static ListArray Unkept(ArrayValue array)
    {
        var result = ListArray.Sequence();
        result.AddAll(array);
        return result;
    }

    private static Value Every(Node step, ArrayValue items, bool isLast, Frame frame, EvaluationRun run)
    {
        var result = ListArray.Sequence();
        var first = Value.Undefined;
        int count = 0;
        for (int i = 0; i < items.Count; i++)
        {
            var stepped = Stepped(step, items[i], frame, run);
            if (stepped.IsUndefined)
                continue;
            if (count++ == 0)
            {
                first = stepped;
                continue;
            }
            if (count == 2)
                Flatten(result, first, run);
            Flatten(result, stepped, run);
        }
        if (count == 1)
        {
            if (isLast && first.IsArray && !first.Array.IsSequence)
                return first;
            Flatten(result, first, run);
        }
        return Value.Of(result);
    }

    private static Value Stepped(Node step, in Value item, Frame frame, EvaluationRun run)
    {
        var result = step.Evaluate(item, frame, run);
        return step.Stages is null ? result : Filter.Stages(step.Stages, result, frame, run);
    }

    private static void Flatten(ListArray target, in Value value, EvaluationRun run)
    {
        if (value.IsArray && value.Array.IsConstructed)
        {
            run.ChargeItems(1);
            target.Add(value);
        }
        else
            Sequences.AddFlat(target, value, run);
    }
}

/// <summary>A step of a path that binds variables.</summary>
internal static class RowStep
{
    private const long RowBytes = 96;

    public static RowStream Apply(Node step, RowStream? rows, ArrayValue items, Frame frame, EvaluationRun run)
    {
        var result = step is OrderNode order
            ? Ordered(order, rows, items, frame, run)
            : Stepped(step, rows ?? RowStream.Of(items), frame, run);
        if (step.Stages is null)
            return result;
        var staged = Filter.Stages(step.Stages, Value.Of(result), frame, run);
        return (RowStream)staged.Array;
    }

    private static RowStream Ordered(OrderNode order, RowStream? rows, ArrayValue items, Frame frame, EvaluationRun run)
    {
        if (rows is not null)
            return order.Sort(rows, frame, run);
        var sorted = order.Sort(items, frame, run);
        var result = RowStream.Of(Sequences.ItemsOf(sorted));
        if (order.Index is not { } index)
            return result;
        for (int i = 0; i < result.Count; i++)
            result.Rows[i] = result.Rows[i].With(index, Value.Of((double)i));
        return result;
    }

    private static RowStream Stepped(Node step, RowStream rows, Frame frame, EvaluationRun run)
    {
        var result = new RowStream();
        foreach (var row in rows.Rows)
        {
            var values = step.Evaluate(row.Context, row.FrameIn(frame), run);
            if (values.IsUndefined)
                continue;
            var items = Sequences.ItemsOf(values);
            run.Steps(items.Count);
            run.Charge(RowBytes * items.Count);
            for (int i = 0; i < items.Count; i++)
                result.Rows.Add(items is RowStream inner ? row.Joined(inner.Rows[i]) : Bound(step, row, items[i], i));
        }
        return result;
    }

    private static Row Bound(Node step, Row row, in Value item, int place)
    {
        var result = step.Focus is { } focus ? row.With(focus, item) : row with { Context = item };
        if (step.Index is { } index)
            result = result.With(index, Value.Of((double)place));
        return step.Ancestor is { } ancestor ? result.With(ancestor.Label, row.Context) : result;
    }
}
