using System.Text;
using System.Text.Json;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>One side of a rule: its paths and what the schema says about them.</summary>
internal sealed class RuleEnd
{
    private readonly byte[][][] _names;

    /// <summary>Makes the end from the schema's fields of its paths; a field that the schema does not know is of any
    /// kind.</summary>
    public RuleEnd(Side side, IReadOnlyList<FieldPath> paths, IReadOnlyList<PathSchema> fields)
    {
        (Side, Paths, Fields) = (side, paths, fields);
        _names = [.. paths.Select(static p => p.Names.Select(Encoding.UTF8.GetBytes).ToArray())];
        ShadowName = string.Join('+', paths.Select(static p => p.Text));
        Kind = fields.Count switch { 0 => FieldKind.Any, 1 => fields[0].Kind, _ => FieldKind.List };
    }

    /// <summary>Which side it is.</summary>
    public Side Side { get; }

    /// <summary>The paths.</summary>
    public IReadOnlyList<FieldPath> Paths { get; }

    /// <summary>What the schema says, one per path.</summary>
    public IReadOnlyList<PathSchema> Fields { get; }

    /// <summary>The paths joined by '+'.</summary>
    public string ShadowName { get; }

    /// <summary>The kind of the only path; list for several, any for none.</summary>
    public FieldKind Kind { get; }

    /// <summary>The end with the kind that the lens beside it deals in, where the schema does not know one.</summary>
    public RuleEnd Narrow(FieldKind? kind) =>
        kind is { } known and not FieldKind.Any && Fields is [{ Kind: FieldKind.Any } only]
        ? new RuleEnd(Side, Paths, [only with { Kind = known }]) : this;

    /// <summary>The side's value in a record.</summary>
    public FieldValue Read(JsonElement record, IReadOnlyList<string> unchanged)
    {
        if (Paths.Count == 0)
        {
            return FieldValue.Absent;
        }

        if (Paths.Count == 1)
        {
            return ReadPath(0, record, unchanged);
        }

        var values = new FieldValue[Paths.Count];
        var known = false;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = ReadPath(i, record, unchanged);
            if (values[i].State == FieldState.Unchanged)
            {
                return FieldValue.Unchanged;
            }

            known |= values[i].State != FieldState.Absent;
        }

        return known ? FieldValue.Of(JsonText.Array(values)) : FieldValue.Absent;
    }

    /// <summary>Puts a value of the side at its path or paths.</summary>
    public void Write(FieldValue value, RecordBuilder target)
    {
        if (Paths.Count == 1)
        {
            target.Set(Paths[0], value);
            return;
        }

        for (var i = 0; i < Paths.Count; i++)
        {
            target.Set(Paths[i], Part(value, i));
        }
    }

    /// <summary>Whether two values of the side are the same by the kinds of its paths.</summary>
    public bool Same(FieldValue left, FieldValue right)
    {
        if (Paths.Count <= 1)
        {
            return SamePart(0, left, right);
        }

        for (var i = 0; i < Paths.Count; i++)
        {
            if (!SamePart(i, Part(left, i), Part(right, i)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Why the side does not take the value; null when it does.</summary>
    public string? Refusal(FieldValue value)
    {
        for (var i = 0; i < Paths.Count; i++)
        {
            var part = Paths.Count == 1 ? value : Part(value, i);
            if (part.State == FieldState.Present && Fields[i].Refusal(part) is { } reason)
            {
                return $"{Side.Letter()}.{Paths[i].Text} {reason}";
            }
        }

        return null;
    }

    /// <summary>One path's part of the side's value.</summary>
    private FieldValue Part(FieldValue value, int i) =>
        value.State != FieldState.Present ? value
        : value.Element.ValueKind == JsonValueKind.Array && i < value.Element.GetArrayLength()
            ? FieldValue.Of(value.Element[i])
        : FieldValue.Null;

    private bool SamePart(int i, FieldValue left, FieldValue right)
    {
        if (left.State == FieldState.Present && right.State == FieldState.Present)
        {
            return ValueEquality.Same(i < Fields.Count ? Fields[i].Kind : FieldKind.Any, left.Element, right.Element);
        }

        return left.State == right.State
            || (i < Fields.Count && Fields[i].AbsentIsNull && IsNothing(left.State) && IsNothing(right.State));
    }

    private static bool IsNothing(FieldState state) => state is FieldState.Absent or FieldState.Null;

    /// <summary>
    /// A member that is missing from an object which the record does tell (a metadata key that was removed) is null:
    /// the record says that it is not there. A missing top-level field is absent.
    /// </summary>
    private FieldValue ReadPath(int i, JsonElement record, IReadOnlyList<string> unchanged)
    {
        var names = _names[i];
        var value = record;
        for (var depth = 0; depth < names.Length; depth++)
        {
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty(names[depth], out var member))
            {
                value = member;
            }
            else if (depth > 0)
            {
                return FieldValue.Null;
            }
            else
            {
                return unchanged.Count > 0 && unchanged.Contains(Paths[i].Names[0])
                    ? FieldValue.Unchanged : FieldValue.Absent;
            }
        }

        return FieldValue.Of(value);
    }
}
