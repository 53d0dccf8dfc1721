using System.Text;
using System.Text.RegularExpressions;
using Duplex.Engine.Jsonata.Functions;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>A string, true, false or null.</summary>
internal sealed class LiteralNode(int position, Value value) : Node(position)
{
    public Value Value => value;

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run) => value;
}

internal sealed class NumberNode(int position, double number) : Node(position)
{
    public double Number => number;

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run) => Value.Of(number);
}

/// <summary>The member of that name.</summary>
internal sealed class NameNode(int position, string name) : Node(position)
{
    private readonly byte[] _nameUtf8 = Encoding.UTF8.GetBytes(name);

    public string Name => name;

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run) =>
        Sequences.Lookup(input, name, _nameUtf8, run);
}

/// <summary>A variable; the one without a name is the context.</summary>
internal sealed class VariableNode(int position, string name) : Node(position)
{
    public string Name => name;

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run) =>
        name.Length == 0 ? input.Unwrapped : frame.Lookup(name);
}

/// <summary>The parent of the context, which the rows carry under its label.</summary>
internal sealed class ParentNode(int position, ParentSlot slot) : Node(position)
{
    public ParentSlot Slot => slot;

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run) => frame.Lookup(slot.Label);
}

/// <summary>All members' values.</summary>
internal sealed class WildcardNode(int position) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var source = input.Unwrapped;
        var result = new ListArray();
        // A sequence that an array is appended to becomes an array: one element stays one.
        bool isSequence = true;
        foreach (var value in Values(source))
        {
            isSequence &= !value.IsArray;
            Sequences.AddLeaves(result, value, run);
        }
        if (!isSequence)
            return Value.Of(result);
        var sequence = ListArray.Sequence();
        sequence.AddAll(result);
        return Value.Of(sequence);
    }

    private static IEnumerable<Value> Values(Value source)
    {
        if (source.Kind == ValueKind.Object)
            return source.Object.Members.Select(m => m.Value);
        return source.IsArray ? Enumerable.Range(0, source.Array.Count).Select(i => source.Array[i]) : [];
    }
}

/// <summary>The context and all that is within it, except arrays.</summary>
internal sealed class DescendantNode(int position) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        if (input.IsUndefined)
            return input;
        var result = ListArray.Sequence();
        Collect(input, result, run);
        return result.Count == 1 ? result[0] : Value.Of(result);
    }

    private static void Collect(in Value value, ListArray result, EvaluationRun run)
    {
        run.GuardStack();
        run.Step();
        if (value.IsArray)
        {
            for (int i = 0; i < value.Array.Count; i++)
                Collect(value.Array[i], result, run);
            return;
        }
        run.ChargeItems(1);
        result.Add(value);
        if (value.Kind != ValueKind.Object)
            return;
        foreach (var (_, member) in value.Object.Members)
            Collect(member, result, run);
    }
}

internal sealed class RegexNode(int position, Regex pattern) : Node(position)
{
    private readonly Value _function = Value.Of(new RegexFunction(pattern, position));

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run) => _function;
}
