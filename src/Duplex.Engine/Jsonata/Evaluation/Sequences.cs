using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>What is done with arrays and sequences alike.</summary>
internal static class Sequences
{
    /// <summary>The same elements as a sequence that stays an array.</summary>
    public static ListArray Kept(ArrayValue source)
    {
        var result = ListArray.Sequence();
        result.AddAll(source);
        result.KeepsSingleton = true;
        return result;
    }

    /// <summary>The elements if it is an array, else itself as the only one.</summary>
    public static ArrayValue ItemsOf(in Value value) => value.IsArray ? value.Array : ListArray.Sequence(value);

    /// <summary>Both one after the other; an undefined one counts for nothing.</summary>
    public static Value Append(in Value first, in Value second, EvaluationRun run)
    {
        if (first.IsUndefined)
            return second;
        if (second.IsUndefined)
            return first;
        var result = new ListArray();
        AddFlat(result, first, run);
        AddFlat(result, second, run);
        return Value.Of(result);
    }

    /// <summary>Adds the elements of an array, or what is none.</summary>
    public static void AddFlat(ListArray target, in Value value, EvaluationRun run)
    {
        if (value.IsArray)
        {
            run.Steps(value.Array.Count);
            run.ChargeItems(value.Array.Count);
            target.AddAll(value.Array);
        }
        else
        {
            run.ChargeItems(1);
            target.Add(value);
        }
    }

    /// <summary>Adds all that is no array, however deep within arrays.</summary>
    public static void AddLeaves(ListArray target, in Value value, EvaluationRun run)
    {
        if (!value.IsArray)
        {
            run.ChargeItems(1);
            target.Add(value);
            return;
        }
        run.GuardStack();
        run.Steps(value.Array.Count);
        for (int i = 0; i < value.Array.Count; i++)
            AddLeaves(target, value.Array[i], run);
    }

    /// <summary>The member of that name, of an object or of all objects in an array.</summary>
    public static Value Lookup(in Value input, string name, byte[] nameUtf8, EvaluationRun run)
    {
        if (input.Kind == ValueKind.Object)
            return input.Object.TryGet(name, nameUtf8, out var member) ? member : Value.Undefined;
        if (!input.IsArray)
            return Value.Undefined;
        run.GuardStack();
        var array = input.Array;
        run.Steps(array.Count);
        var result = ListArray.Sequence();
        for (int i = 0; i < array.Count; i++)
        {
            var found = Lookup(array[i], name, nameUtf8, run);
            if (!found.IsUndefined)
                AddFlat(result, found, run);
        }
        return Value.Of(result);
    }

    public static bool IsArrayOf(in Value value, ValueKind kind)
    {
        if (!value.IsArray)
            return false;
        if (value.Array is RangeArray)
            return kind == ValueKind.Number;
        for (int i = 0; i < value.Array.Count; i++)
        {
            if (value.Array[i].Kind != kind)
                return false;
        }
        return true;
    }
}
