using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Lenses;

/// <summary>What one direction of a lens does to the values.</summary>
internal enum LensLoss
{
    /// <summary>Different values stay different.</summary>
    Exact,
    /// <summary>Different values may become one; going there and back gives a value that means the same to the
    /// rule.</summary>
    Collapses,
    /// <summary>The lens does not go this way.</summary>
    Impossible,
}

/// <summary>A mapped value, or one sentence on why there is none. The sentence never holds the value.</summary>
internal readonly record struct LensResult(FieldValue Value, string? Problem)
{
    public static implicit operator LensResult(FieldValue value) => new(value, null);

    public static implicit operator LensResult(JsonElement value) => new(FieldValue.Of(value), null);

    public static LensResult Failed(string problem) => new(FieldValue.Absent, problem);
}

/// <summary>
/// One step of a rule, run forwards from A to B and backwards from B to A. Immutable; never throws for bad data.
/// Whatever is not present passes as it is unless the lens says otherwise.
/// </summary>
internal abstract class Lens
{
    /// <summary>The name in the configuration.</summary>
    public abstract string Name { get; }

    /// <summary>What it takes at A's end.</summary>
    public abstract FieldKind Left { get; }

    /// <summary>What it gives at B's end.</summary>
    public abstract FieldKind Right { get; }

    /// <summary>What happens from A to B.</summary>
    public virtual LensLoss ForwardLoss => LensLoss.Exact;

    /// <summary>What happens from B to A.</summary>
    public virtual LensLoss BackwardLoss => LensLoss.Exact;

    /// <summary>What is lost, one sentence; null when nothing that anyone would miss is.</summary>
    public virtual string? Loss => null;

    /// <summary>Whether the loss makes the way back a guess, so that a rule with it cannot run both ways.</summary>
    public virtual bool IsAmbiguous => false;

    /// <summary>Values of A's end by which the round trip is checked; empty for those of the kind.</summary>
    public virtual IReadOnlyList<JsonElement> Samples => [];

    /// <summary>The like at B's end.</summary>
    public virtual IReadOnlyList<JsonElement> Images => [];

    /// <summary>From A to B.</summary>
    public virtual LensResult Forward(FieldValue value) =>
        value.State == FieldState.Present ? Forward(value.Element) : value;

    /// <summary>From B to A.</summary>
    public virtual LensResult Backward(FieldValue value) =>
        value.State == FieldState.Present ? Backward(value.Element) : value;

    /// <summary>A present value, from A to B.</summary>
    protected abstract LensResult Forward(JsonElement value);

    /// <summary>A present value, from B to A.</summary>
    protected abstract LensResult Backward(JsonElement value);
}

/// <summary>A lens with its ends exchanged.</summary>
internal sealed class InverseLens(Lens inner, string name) : Lens
{
    public override string Name => name;

    public override FieldKind Left => inner.Right;

    public override FieldKind Right => inner.Left;

    public override LensLoss ForwardLoss => inner.BackwardLoss;

    public override LensLoss BackwardLoss => inner.ForwardLoss;

    public override string? Loss => inner.Loss;

    public override bool IsAmbiguous => inner.IsAmbiguous;

    public override IReadOnlyList<JsonElement> Samples => inner.Images;

    public override IReadOnlyList<JsonElement> Images => inner.Samples;

    public override LensResult Forward(FieldValue value) => inner.Backward(value);

    public override LensResult Backward(FieldValue value) => inner.Forward(value);

    protected override LensResult Forward(JsonElement value) => inner.Backward(FieldValue.Of(value));

    protected override LensResult Backward(JsonElement value) => inner.Forward(FieldValue.Of(value));
}
