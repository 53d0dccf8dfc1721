using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>A step that orders what comes before it.</summary>
internal sealed class OrderNode(int position, Node[] terms, bool[] descending) : Node(position)
{
    public Value Sort(ArrayValue items, Frame frame, EvaluationRun run)
    {
        if (items.Count <= 1)
            return Value.Of(items);
        var entries = new Entry[items.Count];
        for (int i = 0; i < entries.Length; i++)
            entries[i] = new(items[i], frame, null, terms.Length);
        run.ChargeItems((long)entries.Length * (2 + terms.Length));
        var result = new ListArray(entries.Length);
        foreach (var entry in Ordered(entries, run))
            result.Add(entry.Item);
        return Value.Of(result);
    }

    public RowStream Sort(RowStream rows, Frame frame, EvaluationRun run)
    {
        if (rows.Count <= 1)
            return rows;
        run.ChargeItems((long)rows.Count * (2 + terms.Length));
        var entries = rows.Rows.Select(r => new Entry(r.Context, r.FrameIn(frame), r, terms.Length)).ToArray();
        var result = new RowStream();
        foreach (var entry in Ordered(entries, run))
            result.Rows.Add(entry.Row!);
        return result;
    }

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run) =>
        Sort(Sequences.ItemsOf(input), frame, run);

    private Entry[] Ordered(Entry[] entries, EvaluationRun run) =>
        MergeSort.Sort(entries, (left, right) => IsAfter(left, right, run), run);

    private bool IsAfter(Entry left, Entry right, EvaluationRun run)
    {
        for (int i = 0; i < terms.Length; i++)
        {
            int order = Compare(left.Key(i, terms[i], run), right.Key(i, terms[i], run), out bool bothDefined);
            if (order != 0)
                return bothDefined && descending[i] ? order < 0 : order > 0;
        }
        return false;
    }

    /// <summary>What is undefined comes last, in either direction.</summary>
    private int Compare(in Value left, in Value right, out bool bothDefined)
    {
        bothDefined = !left.IsUndefined && !right.IsUndefined;
        if (!bothDefined)
            return left.IsUndefined ? right.IsUndefined ? 0 : 1 : -1;
        if (left.Kind is not (ValueKind.String or ValueKind.Number)
            || right.Kind is not (ValueKind.String or ValueKind.Number))
            throw Errors.At(Position, "T2008");
        if (left.Kind != right.Kind)
            throw Errors.At(Position, "T2007");
        return left.Kind == ValueKind.Number
            ? left.Number.CompareTo(right.Number)
            : string.CompareOrdinal(left.Text, right.Text);
    }

    private sealed class Entry(Value item, Frame frame, Row? row, int terms)
    {
        private readonly Value?[] _keys = new Value?[terms];

        public Value Item => item;

        public Row? Row => row;

        public Value Key(int index, Node term, EvaluationRun run) =>
            _keys[index] ??= term.Evaluate(item, frame, run);
    }
}

/// <summary>A stable sort that asks only whether one element has to come after another.</summary>
internal static class MergeSort
{
    public static T[] Sort<T>(T[] items, Func<T, T, bool> isAfter, EvaluationRun run)
    {
        var source = (T[])items.Clone();
        var target = new T[items.Length];
        for (int width = 1; width < items.Length; width *= 2)
        {
            for (int start = 0; start < items.Length; start += 2 * width)
                Merge(source, target, start, width, isAfter, run);
            (source, target) = (target, source);
        }
        return source;
    }

    private static void Merge<T>(T[] source, T[] target, int start, int width, Func<T, T, bool> isAfter,
        EvaluationRun run)
    {
        int middle = Math.Min(start + width, source.Length);
        int end = Math.Min(start + 2 * width, source.Length);
        int left = start;
        int right = middle;
        for (int i = start; i < end; i++)
        {
            run.Step();
            bool takesRight = left >= middle || right < end && isAfter(source[left], source[right]);
            target[i] = takesRight ? source[right++] : source[left++];
        }
    }
}
