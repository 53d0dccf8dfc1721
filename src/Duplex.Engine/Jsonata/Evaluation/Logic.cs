using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>Truth, equality and number checks as the language defines them.</summary>
internal static class Logic
{
    /// <summary>False for what is empty, zero, null, undefined or a function; an array is as true as any of its
    /// elements.</summary>
    public static bool IsTrue(in Value value, EvaluationRun run)
    {
        switch (value.Kind)
        {
            case ValueKind.Boolean:
                return value.IsTrue;
            case ValueKind.Number:
                return IsNumber(value) && value.Number != 0;
            case ValueKind.String:
                return value.Text.Length > 0;
            case ValueKind.Object:
                return value.Object.Members.Count > 0;
            case ValueKind.Array:
                run.GuardStack();
                for (int i = 0; i < value.Array.Count; i++)
                {
                    run.Step();
                    if (IsTrue(value.Array[i], run))
                        return true;
                }
                return false;
            default:
                return false;
        }
    }

    /// <summary>True for numbers other than NaN; a number that is infinite is an error.</summary>
    public static bool IsNumber(in Value value)
    {
        if (value.Kind != ValueKind.Number)
            return false;
        if (double.IsInfinity(value.Number))
            throw Errors.OutOfRange(value.Number);
        return !double.IsNaN(value.Number);
    }

    /// <summary>Equal in depth; members may be in any order.</summary>
    public static bool AreEqual(in Value left, in Value right, EvaluationRun run)
    {
        if (left.Kind != right.Kind)
            return false;
        if (left.IsSame(right))
            return true;
        run.GuardStack();
        if (left.IsArray)
        {
            var mine = left.Array;
            var theirs = right.Array;
            if (mine.Count != theirs.Count)
                return false;
            for (int i = 0; i < mine.Count; i++)
            {
                run.Step();
                if (!AreEqual(mine[i], theirs[i], run))
                    return false;
            }
            return true;
        }
        return left.Kind == ValueKind.Object && AreEqual(left.Object, right.Object, run);
    }

    private static bool AreEqual(ObjectValue left, ObjectValue right, EvaluationRun run)
    {
        if (left.Members.Count != right.Members.Count)
            return false;
        foreach (var (name, member) in left.Members)
        {
            run.Step();
            if (!right.TryGet(name, out var other) || !AreEqual(member, other, run))
                return false;
        }
        return true;
    }
}
