using System.Text;
using System.Text.Json;

namespace Duplex.Engine.Mapping.Predicates;

/// <summary>A condition's compiled form.</summary>
internal sealed class ExpressionPredicate(string text, Expression expression) : Predicate
{
    /// <inheritdoc/>
    public override string Text => text;

    /// <inheritdoc/>
    public override bool Holds(JsonElement record) => expression.Evaluate(record).Holds;
}

/// <summary>A part of a condition.</summary>
internal abstract class Expression
{
    /// <summary>Its value for a record.</summary>
    public abstract PredicateValue Evaluate(JsonElement record);
}

internal sealed class Literal(PredicateValue value) : Expression
{
    public override PredicateValue Evaluate(JsonElement record) => value;
}

internal sealed class Path(string[] names) : Expression
{
    private readonly byte[][] _names = [.. names.Select(Encoding.UTF8.GetBytes)];

    public override PredicateValue Evaluate(JsonElement record)
    {
        var value = record;
        for (var i = 0; i < _names.Length; i++)
        {
            if (value.ValueKind == JsonValueKind.Array)
            {
                return EachOf(value, i);
            }

            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(_names[i], out value))
            {
                return PredicateValue.Absent;
            }
        }

        return PredicateValue.Of(value);
    }

    /// <summary>As in JSONata a step into a list is a step into each of its items, and what comes out is one flat
    /// list.</summary>
    private PredicateValue EachOf(JsonElement list, int from)
    {
        var items = new List<JsonElement> { list };
        for (var i = from; i < _names.Length; i++)
        {
            items = [.. items.SelectMany(Leaves).Where(static e => e.ValueKind == JsonValueKind.Object)
                .SelectMany(e => e.TryGetProperty(_names[i], out var member) ? Flat(member) : [])];
        }

        return items.Count switch
        {
            0 => PredicateValue.Absent,
            1 => PredicateValue.Of(items[0]),
            _ => PredicateValue.Of([.. items.Select(static e => PredicateValue.Of(e))]),
        };
    }

    private static IEnumerable<JsonElement> Flat(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : [element];

    private static IEnumerable<JsonElement> Leaves(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? element.EnumerateArray().SelectMany(Leaves) : [element];
}

internal sealed class AnyOf(Expression[] operands) : Expression
{
    public override PredicateValue Evaluate(JsonElement record)
    {
        foreach (var operand in operands)
        {
            if (operand.Evaluate(record).Holds)
            {
                return PredicateValue.Of(true);
            }
        }

        return PredicateValue.Of(false);
    }
}

internal sealed class AllOf(Expression[] operands) : Expression
{
    public override PredicateValue Evaluate(JsonElement record)
    {
        foreach (var operand in operands)
        {
            if (!operand.Evaluate(record).Holds)
            {
                return PredicateValue.Of(false);
            }
        }

        return PredicateValue.Of(true);
    }
}

internal sealed class Negation(Expression operand) : Expression
{
    public override PredicateValue Evaluate(JsonElement record) => PredicateValue.Of(!operand.Evaluate(record).Holds);
}

internal sealed class Comparison(string symbol, Expression left, Expression right) : Expression
{
    public override PredicateValue Evaluate(JsonElement record)
    {
        var l = left.Evaluate(record);
        var r = right.Evaluate(record);
        if (l.Kind == JsonValueKind.Undefined || r.Kind == JsonValueKind.Undefined)
        {
            return PredicateValue.Of(false);
        }

        return PredicateValue.Of(symbol switch
        {
            "=" => PredicateValue.Same(l, r),
            "!=" => !PredicateValue.Same(l, r),
            "<" => PredicateValue.Compare(l, r) < 0,
            "<=" => PredicateValue.Compare(l, r) <= 0,
            ">" => PredicateValue.Compare(l, r) > 0,
            _ => PredicateValue.Compare(l, r) >= 0,
        });
    }
}

internal sealed class Membership(Expression item, Expression list) : Expression
{
    public override PredicateValue Evaluate(JsonElement record)
    {
        var wanted = item.Evaluate(record);
        if (wanted.Kind == JsonValueKind.Undefined)
        {
            return PredicateValue.Of(false);
        }

        foreach (var candidate in list.Evaluate(record).Items)
        {
            if (PredicateValue.Same(wanted, candidate))
            {
                return PredicateValue.Of(true);
            }
        }

        return PredicateValue.Of(false);
    }
}

internal sealed class ListOf(Expression[] items) : Expression
{
    public override PredicateValue Evaluate(JsonElement record)
    {
        var values = new PredicateValue[items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            values[i] = items[i].Evaluate(record);
        }

        return PredicateValue.Of(values);
    }
}

internal sealed class Call(PredicateFunction function, Expression[] arguments) : Expression
{
    public override PredicateValue Evaluate(JsonElement record)
    {
        var values = new PredicateValue[arguments.Length];
        for (var i = 0; i < arguments.Length; i++)
        {
            values[i] = arguments[i].Evaluate(record);
        }

        return function.Apply(values);
    }
}
