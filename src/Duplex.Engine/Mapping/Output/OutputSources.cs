using System.Text.Json;
using Duplex.Engine.Jsonata;
using Duplex.Engine.State;

namespace Duplex.Engine.Mapping.Output;

/// <summary>Where an output field's value comes from.</summary>
internal abstract class OutputSource
{
    /// <summary>What it reads of the change beside the row.</summary>
    public abstract EventMembers Asks { get; }

    /// <summary>Gives the value; or, returned, why there is none.</summary>
    public abstract string? TryGet(OutputInput input, out FieldValue value);
}

/// <summary>A rule of lenses over the row.</summary>
internal sealed class RowSource(LensRule rule) : OutputSource
{
    public override EventMembers Asks => EventMembers.None;

    public override string? TryGet(OutputInput input, out FieldValue value) =>
        rule.TryMap(Side.A, rule.Read(Side.A, input.Row, []), out value, out var problem) ? null : problem;
}

/// <summary>A rule of lenses over <c>$event</c>.</summary>
internal sealed class EventSource(LensRule rule, EventMembers asks) : OutputSource
{
    public override EventMembers Asks => asks;

    public override string? TryGet(OutputInput input, out FieldValue value) =>
        rule.TryMap(Side.A, rule.Read(Side.A, input.Event, []), out value, out var problem) ? null : problem;
}

/// <summary>A JSONata expression over the row, with <c>$event</c>, <c>$before</c> and <c>$after</c>.</summary>
internal sealed class ExpressionSource(string target, JsonataExpression expression) : OutputSource
{
    private readonly bool _asksEvent = expression.Text.Contains("$event", StringComparison.Ordinal);
    private readonly bool _asksImages = expression.Text.Contains("$before", StringComparison.Ordinal)
        || expression.Text.Contains("$after", StringComparison.Ordinal);

    public override EventMembers Asks => _asksEvent ? EventMembers.All : EventMembers.None;

    public override string? TryGet(OutputInput input, out FieldValue value)
    {
        value = FieldValue.Absent;
        var result = expression.Evaluate(input.Row, JsonataLimits.Default, Bindings(input), input.Clock, out var error);
        if (error is not null)
        {
            return $"{target}: {error.Code} {error.Message}";
        }

        if (!result.IsUndefined)
        {
            value = FieldValue.Of(JsonElement.Parse(result.ToUtf8()));
        }

        return null;
    }

    private Dictionary<string, JsonElement>? Bindings(OutputInput input)
    {
        if (!_asksEvent && !_asksImages)
        {
            return null;
        }

        var bindings = new Dictionary<string, JsonElement>(3);
        if (_asksEvent)
        {
            bindings["event"] = input.Event;
        }

        if (_asksImages && input.Before.ValueKind != JsonValueKind.Undefined)
        {
            bindings["before"] = input.Before;
        }

        if (_asksImages && input.After.ValueKind != JsonValueKind.Undefined)
        {
            bindings["after"] = input.After;
        }

        return bindings;
    }
}
