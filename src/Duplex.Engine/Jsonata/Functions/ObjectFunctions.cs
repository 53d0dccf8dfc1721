using System.Text;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

internal static class ObjectFunctions
{
    private const long MemberBytes = 40;

    public static Value Keys(Value[] arguments, in CallSite site)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var result = ListArray.Sequence();
        CollectKeys(arguments[0], names, result, site.Run);
        return Value.Of(result);
    }

    public static Value Lookup(Value[] arguments, in CallSite site)
    {
        if (arguments[1].IsUndefined)
            return arguments[1];
        string name = arguments[1].Text;
        return Sequences.Lookup(arguments[0], name, Encoding.UTF8.GetBytes(name), site.Run);
    }

    public static Value Spread(Value[] arguments, in CallSite site)
    {
        var argument = arguments[0];
        if (argument.IsArray)
        {
            // What arrays are appended to is no sequence any more.
            var all = new ListArray { IsSequence = argument.Array.Count == 0 };
            AddSpread(all, argument, site.Run);
            return Value.Of(all);
        }
        if (argument.Kind != ValueKind.Object)
            return argument;
        var result = ListArray.Sequence();
        AddSpread(result, argument, site.Run);
        return Value.Of(result);
    }

    public static Value Merge(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        var result = new ObjectValue();
        for (int i = 0; i < arguments[0].Array.Count; i++)
        {
            foreach (var (name, value) in arguments[0].Array[i].Object.Members)
            {
                site.Run.Step();
                site.Run.Charge(MemberBytes);
                result.Set(name, value);
            }
        }
        return Value.Of(result);
    }

    public static Value Clone(Value[] arguments, in CallSite site) => Copy(arguments[0], site.Run);

    private static void CollectKeys(in Value value, HashSet<string> names, ListArray result, EvaluationRun run)
    {
        if (value.IsArray)
        {
            run.GuardStack();
            for (int i = 0; i < value.Array.Count; i++)
                CollectKeys(value.Array[i], names, result, run);
        }
        run.Step();
        if (value.Kind != ValueKind.Object)
            return;
        foreach (var (name, _) in value.Object.Members)
        {
            run.Step();
            if (!names.Add(name))
                continue;
            run.ChargeItems(1);
            result.Add(Value.Of(name));
        }
    }

    private static void AddSpread(ListArray target, in Value value, EvaluationRun run)
    {
        run.Step();
        run.GuardStack();
        if (value.IsArray)
        {
            for (int i = 0; i < value.Array.Count; i++)
                AddSpread(target, value.Array[i], run);
        }
        else if (value.Kind == ValueKind.Object)
        {
            foreach (var (name, member) in value.Object.Members)
            {
                run.Charge(2 * MemberBytes);
                var single = new ObjectValue(1);
                single.TryAdd(name, member);
                target.Add(Value.Of(single));
            }
        }
        else if (!value.IsUndefined)
            target.Add(value);
    }

    /// <summary>A copy in which nothing is of the input any more. Functions become empty strings, as in JSON
    /// text.</summary>
    private static Value Copy(in Value value, EvaluationRun run)
    {
        run.GuardStack();
        run.Step();
        switch (value.Kind)
        {
            case ValueKind.Array:
                var source = value.Unwrapped.Array;
                run.ChargeItems(source.Count);
                var array = new ListArray(source.Count);
                for (int i = 0; i < source.Count; i++)
                    array.Add(Copy(source[i], run));
                return Value.Of(array);
            case ValueKind.Object:
                var members = value.Object.Members;
                run.Charge(MemberBytes * (members.Count + 2));
                var copy = new ObjectValue(members.Count);
                foreach (var (name, member) in members)
                    copy.TryAdd(name, Copy(member, run));
                return Value.Of(copy);
            case ValueKind.Function:
                return Value.Of("");
            default:
                return value;
        }
    }
}
