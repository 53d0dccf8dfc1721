using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>Predicates: a place, counted from the end if negative; or places; or a condition.</summary>
internal static class Filter
{
    public static Value Apply(Node predicate, in Value input, Frame frame, EvaluationRun run)
    {
        if (input.IsArray && input.Array is RowStream rows)
            return Value.Of(Rows(predicate, rows, frame, run));
        if (predicate is NumberNode place)
            return At(place.Number, input);
        var items = Sequences.ItemsOf(input);
        var result = ListArray.Sequence();
        for (int i = 0; i < items.Count; i++)
        {
            var item = items[i];
            for (int times = Matches(predicate.Evaluate(item, frame, run), i, items.Count, run); times > 0; times--)
            {
                if (item.IsUndefined)
                    continue;
                run.ChargeItems(1);
                result.Add(item);
            }
        }
        return Value.Of(result);
    }

    public static Value Stages(List<Stage> stages, in Value input, Frame frame, EvaluationRun run)
    {
        var result = input;
        foreach (var stage in stages)
        {
            if (stage is FilterStage filter)
                result = Apply(filter.Predicate, result, frame, run);
            else if (stage is IndexStage index && result.IsArray && result.Array is RowStream rows)
                Number(rows, index.Variable);
        }
        return result;
    }

    private static void Number(RowStream rows, string variable)
    {
        for (int i = 0; i < rows.Count; i++)
            rows.Rows[i] = rows.Rows[i].With(variable, Value.Of((double)i));
    }

    private static Value At(double place, in Value input)
    {
        var items = Sequences.ItemsOf(input);
        double index = Math.Floor(place);
        if (index < 0)
            index += items.Count;
        if (index < 0 || index >= items.Count)
            return Value.Undefined;
        var item = items[(int)index];
        return item.IsArray || item.IsUndefined ? item : Value.Of(ListArray.Sequence(item));
    }

    private static RowStream Rows(Node predicate, RowStream input, Frame frame, EvaluationRun run)
    {
        var result = new RowStream();
        for (int i = 0; i < input.Count; i++)
        {
            var row = input.Rows[i];
            var matched = predicate is NumberNode place
                ? Value.Of(place.Number)
                : predicate.Evaluate(row.Context, row.FrameIn(frame), run);
            for (int times = Matches(matched, i, input.Count, run); times > 0; times--)
                result.Rows.Add(row);
        }
        return result;
    }

    /// <summary>How many times the element is taken for what the predicate says about it.</summary>
    private static int Matches(in Value matched, int index, int count, EvaluationRun run)
    {
        if (Logic.IsNumber(matched))
            return IsAt(matched.Number, index, count) ? 1 : 0;
        if (!Sequences.IsArrayOf(matched, ValueKind.Number))
            return Logic.IsTrue(matched, run) ? 1 : 0;
        int times = 0;
        run.Steps(matched.Array.Count);
        for (int i = 0; i < matched.Array.Count; i++)
            times += IsAt(matched.Array[i].Number, index, count) ? 1 : 0;
        return times;
    }

    private static bool IsAt(double place, int index, int count)
    {
        double at = Math.Floor(place);
        return (at < 0 ? count + at : at) == index;
    }
}
