using Duplex.Engine.State;

namespace Duplex.Engine.Mapping.Output;

/// <summary>Where an output field's value comes from.</summary>
internal abstract class OutputSource
{
    /// <summary>Gives the value; or, returned, why there is none.</summary>
    public abstract string? TryGet(OutputInput input, out FieldValue value);
}

/// <summary>A rule of lenses, read from the row or from the event.</summary>
internal sealed class LensSource(LensRule rule, bool fromEvent) : OutputSource
{
    public override string? TryGet(OutputInput input, out FieldValue value)
    {
        var record = fromEvent ? input.Event : input.Row;
        return rule.TryMap(Side.A, rule.Read(Side.A, record, []), out value, out var problem) ? null : problem;
    }
}
