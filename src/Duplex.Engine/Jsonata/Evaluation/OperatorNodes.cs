using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

internal sealed class ArithmeticNode(int position, char symbol, Node left, Node right) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var a = left.Evaluate(input, frame, run);
        var b = right.Evaluate(input, frame, run);
        Require(a, "T2001");
        Require(b, "T2002");
        if (a.IsUndefined || b.IsUndefined)
            return Value.Undefined;
        return Value.Of(symbol switch
        {
            '+' => a.Number + b.Number,
            '-' => a.Number - b.Number,
            '*' => a.Number * b.Number,
            '/' => a.Number / b.Number,
            _ => a.Number % b.Number,
        });
    }

    private void Require(in Value value, string code)
    {
        if (value.IsUndefined)
            return;
        if (value.Kind == ValueKind.Number && double.IsInfinity(value.Number))
            throw Errors.At(Position, "D1001", symbol.ToString(), NumberFormat.Shortest(value.Number));
        if (!Logic.IsNumber(value))
            throw Errors.At(Position, code, symbol.ToString());
    }
}

internal sealed class EqualityNode(int position, bool isNegated, Node left, Node right) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var a = left.Evaluate(input, frame, run);
        var b = right.Evaluate(input, frame, run);
        if (a.IsUndefined || b.IsUndefined)
            return Value.Of(false);
        return Value.Of(Logic.AreEqual(a, b, run) != isNegated);
    }
}

internal sealed class ComparisonNode(int position, string symbol, Node left, Node right) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var a = left.Evaluate(input, frame, run);
        var b = right.Evaluate(input, frame, run);
        if (!IsComparable(a) || !IsComparable(b))
            throw Errors.At(Position, "T2010", symbol);
        if (a.IsUndefined || b.IsUndefined)
            return Value.Undefined;
        if (a.Kind != b.Kind)
            throw Errors.At(Position, "T2009", symbol);
        if (a.Kind == ValueKind.String)
        {
            int order = string.CompareOrdinal(a.Text, b.Text);
            return Value.Of(symbol switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 });
        }
        return Value.Of(symbol switch
        {
            "<" => a.Number < b.Number,
            "<=" => a.Number <= b.Number,
            ">" => a.Number > b.Number,
            _ => a.Number >= b.Number,
        });
    }

    private static bool IsComparable(in Value value) =>
        value.Kind is ValueKind.Undefined or ValueKind.String or ValueKind.Number;
}

internal sealed class MembershipNode(int position, Node left, Node right) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var item = left.Evaluate(input, frame, run);
        var items = right.Evaluate(input, frame, run);
        if (item.IsUndefined || items.IsUndefined)
            return Value.Of(false);
        if (!items.IsArray)
            return Value.Of(items.IsSame(item));
        run.Steps(items.Array.Count);
        for (int i = 0; i < items.Array.Count; i++)
        {
            if (items.Array[i].IsSame(item))
                return Value.Of(true);
        }
        return Value.Of(false);
    }
}

internal sealed class BooleanNode(int position, bool isAnd, Node left, Node right) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        bool first = Logic.IsTrue(left.Evaluate(input, frame, run), run);
        return Value.Of(first == isAnd ? Logic.IsTrue(right.Evaluate(input, frame, run), run) : first);
    }
}

internal sealed class ConcatenationNode(int position, Node left, Node right) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        string first = Text(left.Evaluate(input, frame, run), run);
        string second = Text(right.Evaluate(input, frame, run), run);
        run.Charge(2L * (first.Length + second.Length));
        return Value.Of(string.Concat(first, second));
    }

    private static string Text(in Value value, EvaluationRun run) =>
        value.IsUndefined ? "" : JsonText.Of(value, false, run);
}

internal sealed class RangeNode(int position, Node left, Node right) : Node(position)
{
    private const double CountMax = 1e7;

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var first = left.Evaluate(input, frame, run);
        var last = right.Evaluate(input, frame, run);
        Require(first, "T2003");
        Require(last, "T2004");
        if (first.IsUndefined || last.IsUndefined || first.Number > last.Number)
            return Value.Undefined;
        double count = last.Number - first.Number + 1;
        if (count > CountMax)
            throw Errors.At(Position, "D2014", "..", NumberFormat.Shortest(count));
        return Value.Of(new RangeArray(first.Number, (int)count) { IsSequence = true });
    }

    private void Require(in Value value, string code)
    {
        bool isWhole = value.Kind == ValueKind.Number && double.IsInteger(value.Number);
        if (!value.IsUndefined && !isWhole)
            throw Errors.At(Position, code, "..");
    }
}

internal sealed class NegationNode(int position, Node operand) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var value = operand.Evaluate(input, frame, run);
        if (value.IsUndefined)
            return value;
        return Logic.IsNumber(value) ? Value.Of(-value.Number) : throw Errors.At(Position, "D1002", "-");
    }
}
