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
        foreach (var name in _names)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
            {
                return PredicateValue.Absent;
            }
        }

        return PredicateValue.Of(value);
    }
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
