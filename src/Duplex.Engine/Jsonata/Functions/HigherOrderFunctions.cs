using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

internal static class HigherOrderFunctions
{
    public static Value Map(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        var items = arguments[0].Array;
        var result = ListArray.Sequence();
        for (int i = 0; i < items.Count; i++)
            AddDefined(result, Call(arguments, items[i], i, site), site.Run);
        return Value.Of(result);
    }

    public static Value Filter(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        var items = arguments[0].Array;
        var result = ListArray.Sequence();
        for (int i = 0; i < items.Count; i++)
        {
            if (Logic.IsTrue(Call(arguments, items[i], i, site), site.Run))
                AddDefined(result, items[i], site.Run);
        }
        return Value.Of(result);
    }

    public static Value Single(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        var items = arguments[0].Array;
        int found = -1;
        for (int i = 0; i < items.Count; i++)
        {
            site.Run.Step();
            if (arguments[1].IsFunction && !Logic.IsTrue(Call(arguments, items[i], i, site), site.Run))
                continue;
            if (found >= 0)
                throw Errors.Of("D3138");
            found = i;
        }
        return found >= 0 ? items[found] : throw Errors.Of("D3139");
    }

    public static Value Reduce(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        var function = arguments[1].Function;
        if (function.Arity < 2)
            throw Errors.Of("D3050");
        var items = arguments[0].Array;
        bool startsWithFirst = arguments[2].IsUndefined && items.Count > 0;
        var result = startsWithFirst ? items[0] : arguments[2];
        for (int i = startsWithFirst ? 1 : 0; i < items.Count; i++)
        {
            Value[] values = function.Arity switch
            {
                2 => [result, items[i]],
                3 => [result, items[i], Value.Of((double)i)],
                _ => [result, items[i], Value.Of((double)i), arguments[0]],
            };
            result = Invocation.Apply(function, values, Value.Null, site.Frame, site.Run);
        }
        return result;
    }

    public static Value Each(Value[] arguments, in CallSite site)
    {
        var result = ListArray.Sequence();
        if (arguments[0].Kind != ValueKind.Object)
            return Value.Of(result);
        foreach (var (name, value) in arguments[0].Object.Members)
        {
            var each = Invocation.Pass(arguments[1].Function, site, value, Value.Of(name), arguments[0]);
            AddDefined(result, each, site.Run);
        }
        return Value.Of(result);
    }

    public static Value Sift(Value[] arguments, in CallSite site)
    {
        if (arguments[0].Kind != ValueKind.Object || !arguments[1].IsFunction)
            return Value.Undefined;
        var result = new ObjectValue();
        foreach (var (name, value) in arguments[0].Object.Members)
        {
            var isKept = Invocation.Pass(arguments[1].Function, site, value, Value.Of(name), arguments[0]);
            if (!Logic.IsTrue(isKept, site.Run))
                continue;
            site.Run.Charge(40);
            result.TryAdd(name, value);
        }
        return result.Members.Count == 0 ? Value.Undefined : Value.Of(result);
    }

    private static Value Call(Value[] arguments, in Value item, int index, in CallSite site) =>
        Invocation.Pass(arguments[1].Function, site, item, Value.Of((double)index), arguments[0]);

    private static void AddDefined(ListArray target, in Value value, EvaluationRun run)
    {
        run.Step();
        if (value.IsUndefined)
            return;
        run.ChargeItems(1);
        target.Add(value);
    }
}
