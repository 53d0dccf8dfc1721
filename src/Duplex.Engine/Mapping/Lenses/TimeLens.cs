using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Lenses;

/// <summary>A point in time in one form on A and in another on B.</summary>
internal sealed class TimeLens(string name, TimeForm left, TimeForm right) : Lens
{
    public override string Name => name;

    public override FieldKind Left => left.Kind;

    public override FieldKind Right => right.Kind;

    public override LensLoss ForwardLoss => Between(left, right);

    public override LensLoss BackwardLoss => Between(right, left);

    public override string? Loss => Math.Max(left.Resolution, right.Resolution) switch
    {
        _ when left.Resolution == right.Resolution => null,
        >= TimeSpan.TicksPerDay => "the time of day is not carried",
        >= TimeSpan.TicksPerMinute => "seconds are not carried",
        >= TimeSpan.TicksPerSecond => "fractions of a second are not carried",
        _ => null,
    };

    protected override LensResult Forward(JsonElement value) => Map(value, left, right);

    protected override LensResult Backward(JsonElement value) => Map(value, right, left);

    private static LensLoss Between(TimeForm from, TimeForm to) =>
        to.Resolution > from.Resolution || from.Blurs || to.Blurs ? LensLoss.Collapses : LensLoss.Exact;

    private static LensResult Map(JsonElement value, TimeForm from, TimeForm to) =>
        from.Read(value, out var problem) is { } ticks ? to.Write(ticks) : LensResult.Failed(problem!);
}
