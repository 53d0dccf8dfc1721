using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>Keys and values: an object's members, or the grouping of what stands before.</summary>
internal sealed class Grouping(int position, (Node Key, Node Value)[] pairs)
{
    private const long ObjectBytes = 80;
    private const long MemberBytes = 40;

    public Value Apply(in Value input, Frame frame, EvaluationRun run)
    {
        run.Charge(ObjectBytes);
        if (input.IsArray && input.Array is RowStream rows)
            return Value.Of(OfRows(rows, frame, run));
        if (!input.IsArray)
            return Value.Of(OfItem(input, frame, run));
        return input.Array.Count switch
        {
            0 => Value.Of(OfItem(Value.Undefined, frame, run)),
            1 => Value.Of(OfItem(input.Array[0], frame, run)),
            _ => Value.Of(OfItems(input.Array, frame, run)),
        };
    }

    private ObjectValue OfItem(in Value item, Frame frame, EvaluationRun run)
    {
        var keys = new string?[pairs.Length];
        HashSet<string>? seen = pairs.Length > 1 ? new(pairs.Length, StringComparer.Ordinal) : null;
        for (int i = 0; i < pairs.Length; i++)
        {
            keys[i] = Key(pairs[i].Key, item, frame, run);
            if (keys[i] is { } key && seen?.Add(key) == false)
                throw Errors.At(position, "D1009", key);
        }
        var result = new ObjectValue(pairs.Length);
        for (int i = 0; i < pairs.Length; i++)
        {
            if (keys[i] is { } key)
                Add(result, key, pairs[i].Value.Evaluate(item, frame, run), run);
        }
        return result;
    }

    private ObjectValue OfItems(ArrayValue items, Frame frame, EvaluationRun run)
    {
        var groups = new Dictionary<string, (int Pair, Value Items)>(StringComparer.Ordinal);
        for (int i = 0; i < items.Count; i++)
        {
            var item = items[i];
            for (int pair = 0; pair < pairs.Length; pair++)
            {
                if (Key(pairs[pair].Key, item, frame, run) is not { } key)
                    continue;
                if (!groups.TryGetValue(key, out var group))
                    groups.Add(key, (pair, item));
                else if (group.Pair != pair)
                    throw Errors.At(position, "D1009", key);
                else
                    groups[key] = (pair, Extended(group.Items, item, run));
            }
        }
        var result = new ObjectValue(groups.Count);
        foreach (var (key, group) in groups)
            Add(result, key, pairs[group.Pair].Value.Evaluate(Ungrown(group.Items), frame, run), run);
        return result;
    }

    private ObjectValue OfRows(RowStream rows, Frame frame, EvaluationRun run)
    {
        var groups = new Dictionary<string, (int Pair, List<Row> Rows)>(StringComparer.Ordinal);
        foreach (var row in rows.Rows)
        {
            var scope = row.FrameIn(frame);
            for (int pair = 0; pair < pairs.Length; pair++)
            {
                if (Key(pairs[pair].Key, row.Context, scope, run) is not { } key)
                    continue;
                if (!groups.TryGetValue(key, out var group))
                    groups.Add(key, group = (pair, []));
                else if (group.Pair != pair)
                    throw Errors.At(position, "D1009", key);
                group.Rows.Add(row);
            }
        }
        var result = new ObjectValue(groups.Count);
        foreach (var (key, group) in groups)
        {
            var merged = Row.Merged(group.Rows, run);
            Add(result, key, pairs[group.Pair].Value.Evaluate(merged.Context, merged.FrameIn(frame), run), run);
        }
        return result;
    }

    private string? Key(Node node, in Value item, Frame frame, EvaluationRun run)
    {
        var key = node.Evaluate(item, frame, run);
        return key.Kind switch
        {
            ValueKind.String => key.Text,
            ValueKind.Undefined => null,
            _ => throw Errors.At(position, "T1003"),
        };
    }

    /// <summary>A group's items grow in one list, which is marked as such while it does.</summary>
    private static Value Extended(in Value items, in Value item, EvaluationRun run)
    {
        if (!items.IsArray || items.Array is not ListArray { IsGrowing: true } list)
        {
            list = new() { IsGrowing = true };
            Sequences.AddFlat(list, items, run);
        }
        Sequences.AddFlat(list, item, run);
        return Value.Of(list);
    }

    private static Value Ungrown(in Value items)
    {
        if (items.IsArray && items.Array is ListArray list)
            list.IsGrowing = false;
        return items;
    }

    private static void Add(ObjectValue target, string key, in Value value, EvaluationRun run)
    {
        if (value.IsUndefined)
            return;
        run.Charge(MemberBytes + 2L * key.Length);
        target.TryAdd(key, value);
    }
}
