using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

internal static class ArrayFunctions
{
    public static Value Count(Value[] arguments, in CallSite site) =>
        Value.Of(arguments[0].IsUndefined ? 0.0 : arguments[0].Array.Count);

    public static Value Append(Value[] arguments, in CallSite site) =>
        Sequences.Append(arguments[0], arguments[1], site.Run);

    public static Value Reverse(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined || arguments[0].Array.Count <= 1)
            return arguments[0];
        var result = Copy(arguments[0].Array, site.Run);
        result.Items.Reverse();
        return Value.Of(result);
    }

    public static Value Shuffle(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined || arguments[0].Array.Count <= 1)
            return arguments[0];
        var result = Copy(arguments[0].Array, site.Run);
        site.Run.Random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(result.Items));
        return Value.Of(result);
    }

    public static Value Distinct(Value[] arguments, in CallSite site)
    {
        if (!arguments[0].IsArray || arguments[0].Array.Count <= 1)
            return arguments[0];
        var items = arguments[0].Array;
        var result = new ListArray { IsSequence = items.IsSequence };
        var texts = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < items.Count; i++)
        {
            var item = items[i];
            bool isKnown = item.Kind == ValueKind.String ? !texts.Add(item.Text) : Holds(result, item, site.Run);
            if (isKnown)
                continue;
            site.Run.ChargeItems(1);
            result.Add(item);
        }
        return Value.Of(result);
    }

    public static Value Sort(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined || arguments[0].Array.Count <= 1)
            return arguments[0];
        var items = Copy(arguments[0].Array, site.Run).Items.ToArray();
        var run = site.Run;
        Func<Value, Value, bool> isAfter;
        if (arguments[1].IsFunction)
        {
            var function = arguments[1].Function;
            var frame = site.Frame;
            isAfter = (a, b) => IsTruthy(Invocation.Apply(function, [a, b], Value.Null, frame, run));
        }
        else if (Sequences.IsArrayOf(arguments[0], ValueKind.Number))
            isAfter = static (a, b) => a.Number > b.Number;
        else if (Sequences.IsArrayOf(arguments[0], ValueKind.String))
            isAfter = static (a, b) => string.CompareOrdinal(a.Text, b.Text) > 0;
        else
            throw Errors.Of("D3070");
        var result = new ListArray(items.Length);
        result.Items.AddRange(MergeSort.Sort(items, isAfter, run));
        return Value.Of(result);
    }

    public static Value Zip(Value[] arguments, in CallSite site)
    {
        int count = arguments.Min(a => a.IsArray ? a.Array.Count : 0);
        site.Run.Steps((long)count * arguments.Length);
        site.Run.ChargeItems((long)count * (arguments.Length + 2));
        var result = new ListArray(count);
        for (int i = 0; i < count; i++)
        {
            var row = new ListArray(arguments.Length);
            foreach (var argument in arguments)
                row.Add(argument.Array[i]);
            result.Add(Value.Of(row));
        }
        return Value.Of(result);
    }

    private static ListArray Copy(ArrayValue items, EvaluationRun run)
    {
        run.Steps(items.Count);
        run.ChargeItems(items.Count);
        var result = new ListArray(items.Count);
        result.AddAll(items);
        return result;
    }

    private static bool Holds(ListArray known, in Value item, EvaluationRun run)
    {
        foreach (var each in known.Items)
        {
            run.Step();
            if (Logic.AreEqual(each, item, run))
                return true;
        }
        return false;
    }

    /// <summary>A comparison's answer counts as ECMAScript sees it: any array or object is true.</summary>
    private static bool IsTruthy(in Value value) => value.Kind switch
    {
        ValueKind.Undefined or ValueKind.Null => false,
        ValueKind.Boolean => value.IsTrue,
        ValueKind.Number => value.Number is not (0 or double.NaN),
        ValueKind.String => value.Text.Length > 0,
        _ => true,
    };
}
