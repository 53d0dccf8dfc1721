using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Lenses;

/// <summary>Whether a text, which nothing in it escapes, has its final form already; false also where that takes more
/// to know.</summary>
internal delegate bool SettledText(ReadOnlySpan<byte> plain);

/// <summary>
/// Brings text into one form in both directions: <c>lowercase</c>, <c>uppercase</c>, <c>trim</c>. Texts that differ
/// only in what it evens out mean the same on both sides, so neither side's own spelling is touched.
/// </summary>
internal sealed class NormalizingLens(string name, Func<string, string> normalize, SettledText isSettled) : Lens
{
    public override string Name => name;

    public override FieldKind Left => FieldKind.Text;

    public override FieldKind Right => FieldKind.Text;

    public override LensLoss ForwardLoss => LensLoss.Collapses;

    public override LensLoss BackwardLoss => LensLoss.Collapses;

    protected override LensResult Forward(JsonElement value) => Normalize(value);

    protected override LensResult Backward(JsonElement value) => Normalize(value);

    private LensResult Normalize(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String && JsonText.TryPlain(value, out var plain) && isSettled(plain))
        {
            return value;
        }

        if (!JsonText.TryText(value, out var text))
        {
            return LensResult.Failed($"{name} takes text, and the value is {JsonText.Describe(value)}.");
        }

        var normal = normalize(text);
        return string.Equals(normal, text, StringComparison.Ordinal) ? value : FieldValue.OfMade(normal);
    }
}

/// <summary>Adds a fixed text before or after on B and takes it away on A: <c>prefix</c>, <c>suffix</c>.</summary>
internal sealed class AffixLens(string name, string affix, bool before) : Lens
{
    public override string Name => name;

    public override FieldKind Left => FieldKind.Text;

    public override FieldKind Right => FieldKind.Text;

    protected override LensResult Forward(JsonElement value) => JsonText.TryText(value, out var text)
        ? FieldValue.OfMade(before ? affix + text : text + affix)
        : LensResult.Failed($"{name} takes text, and the value is {JsonText.Describe(value)}.");

    protected override LensResult Backward(JsonElement value)
    {
        if (!JsonText.TryText(value, out var text))
        {
            return LensResult.Failed($"{name} takes text, and the value is {JsonText.Describe(value)}.");
        }

        return before && text.StartsWith(affix, StringComparison.Ordinal) ? JsonText.String(text[affix.Length..])
            : !before && text.EndsWith(affix, StringComparison.Ordinal) ? JsonText.String(text[..^affix.Length])
            : LensResult.Failed($"The value does not have the {name} of the rule.");
    }
}

/// <summary><c>empty_as_null</c>: an empty text becomes null on the other side, and both mean the same.</summary>
internal sealed class EmptyAsNullLens(FieldKind kind) : Lens
{
    public override string Name => "empty_as_null";

    public override FieldKind Left => kind;

    public override FieldKind Right => kind;

    public override LensLoss ForwardLoss => LensLoss.Collapses;

    public override LensLoss BackwardLoss => LensLoss.Collapses;

    protected override LensResult Forward(JsonElement value) => Normal(value);

    protected override LensResult Backward(JsonElement value) => Normal(value);

    private static LensResult Normal(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.ValueEquals(""u8) ? FieldValue.Null : value;
}

/// <summary><c>absent_as_null</c>: a member that a record does not have is null, and both mean the same.</summary>
internal sealed class AbsentAsNullLens(FieldKind kind) : Lens
{
    public override string Name => "absent_as_null";

    public override FieldKind Left => kind;

    public override FieldKind Right => kind;

    public override LensLoss ForwardLoss => LensLoss.Collapses;

    public override LensLoss BackwardLoss => LensLoss.Collapses;

    public override LensResult Forward(FieldValue value) => value.State == FieldState.Absent ? FieldValue.Null : value;

    public override LensResult Backward(FieldValue value) => value.State == FieldState.Absent ? FieldValue.Null : value;

    protected override LensResult Forward(JsonElement value) => value;

    protected override LensResult Backward(JsonElement value) => value;
}
