using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>A variable that a row binds.</summary>
internal sealed record Binding(string Name, Value Value, Binding? Next);

/// <summary>What flows through the steps of a path that binds variables: the context and the variables bound so
/// far.</summary>
internal sealed record Row(Value Context, Binding? Bindings)
{
    public Row With(string name, in Value value) => this with { Bindings = new(name, value, Bindings) };

    public Frame FrameIn(Frame outer)
    {
        var frame = new Frame(outer);
        BindAll(frame, Bindings);
        return frame;
    }

    /// <summary>This row with the variables of another one and its context.</summary>
    public Row Joined(Row other)
    {
        var bindings = Bindings;
        foreach (var binding in other.OldestFirst())
            bindings = new(binding.Name, binding.Value, bindings);
        return new(other.Context, bindings);
    }

    /// <summary>One row of many: contexts and variables are appended to one another.</summary>
    public static Row Merged(List<Row> rows, EvaluationRun run)
    {
        if (rows.Count == 1)
            return rows[0];
        var contexts = new ListArray();
        var variables = new Dictionary<string, ListArray>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            AddDefined(contexts, row.Context, run);
            foreach (var (name, value) in row.Latest())
            {
                if (!variables.TryGetValue(name, out var values))
                    variables.Add(name, values = new());
                AddDefined(values, value, run);
            }
        }
        Binding? bindings = null;
        foreach (var (name, values) in variables)
            bindings = new(name, Sole(values), bindings);
        return new(Sole(contexts), bindings);
    }

    private static void AddDefined(ListArray target, in Value value, EvaluationRun run)
    {
        if (!value.IsUndefined)
            Sequences.AddFlat(target, value, run);
    }

    private static Value Sole(ListArray values) => values.Count switch
    {
        0 => Value.Undefined,
        1 => values[0],
        _ => Value.Of(values),
    };

    private static void BindAll(Frame frame, Binding? bindings)
    {
        var stack = new Stack<Binding>();
        for (; bindings is not null; bindings = bindings.Next)
            stack.Push(bindings);
        while (stack.TryPop(out var binding))
            frame.Bind(binding.Name, binding.Value);
    }

    private IEnumerable<Binding> OldestFirst()
    {
        var stack = new Stack<Binding>();
        for (var binding = Bindings; binding is not null; binding = binding.Next)
            stack.Push(binding);
        return stack;
    }

    private Dictionary<string, Value> Latest()
    {
        var latest = new Dictionary<string, Value>(StringComparer.Ordinal);
        for (var binding = Bindings; binding is not null; binding = binding.Next)
            latest.TryAdd(binding.Name, binding.Value);
        return latest;
    }
}

/// <summary>Rows, seen by whoever does not know them as the sequence of their contexts.</summary>
internal sealed class RowStream : ArrayValue
{
    public RowStream() => IsSequence = true;

    public List<Row> Rows { get; } = [];

    public override int Count => Rows.Count;

    public override Value this[int index] => Rows[index].Context;

    public static RowStream Of(ArrayValue items)
    {
        var result = new RowStream();
        for (int i = 0; i < items.Count; i++)
            result.Rows.Add(new(items[i], null));
        return result;
    }

    public ListArray Contexts()
    {
        var result = ListArray.Sequence();
        foreach (var row in Rows)
            result.Add(row.Context);
        return result;
    }
}
