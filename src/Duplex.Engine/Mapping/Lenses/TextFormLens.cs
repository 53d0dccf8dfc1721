using System.Text;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Lenses;

/// <summary>
/// <c>text</c>: a number or a truth value on A, its text on B. Backwards the text is read as A's kind. From a field of
/// any kind the text form is kept as text on the way back.
/// </summary>
internal sealed class TextFormLens(string name, FieldKind left) : Lens
{
    public override string Name => name;

    public override FieldKind Left => left;

    public override FieldKind Right => FieldKind.Text;

    public override LensLoss ForwardLoss => left == FieldKind.Any ? LensLoss.Collapses : LensLoss.Exact;

    public override LensLoss BackwardLoss =>
        left is FieldKind.Any or FieldKind.Text ? LensLoss.Exact : LensLoss.Collapses;

    protected override LensResult Forward(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => JsonText.String(value.GetRawText()),
        _ => LensResult.Failed($"{name} takes single values, and the value is {JsonText.Describe(value)}."),
    };

    protected override LensResult Backward(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            var fits = left switch
            {
                FieldKind.Any or FieldKind.Text => true,
                FieldKind.Boolean => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
                FieldKind.Number => value.ValueKind == JsonValueKind.Number,
                _ => value.ValueKind == JsonValueKind.Number && ValueEquality.TryNumber(value, out var number)
                    && number.IsWhole,
            };
            return fits ? value : LensResult.Failed($"The value is {JsonText.Describe(value)}.");
        }

        return left switch
        {
            FieldKind.Integer or FieldKind.UnixSeconds => Number(value, whole: true),
            FieldKind.Number => Number(value, whole: false),
            FieldKind.Boolean => value.ValueEquals("true"u8) ? JsonElement.Parse("true")
                : value.ValueEquals("false"u8) ? JsonElement.Parse("false")
                : LensResult.Failed("The text is neither true nor false."),
            _ => value,
        };
    }

    private static LensResult Number(JsonElement value, bool whole)
    {
        if (!JsonText.TryText(value, out var text))
        {
            return LensResult.Failed("The text is not a number.");
        }

        if (!whole && text is "NaN" or "Infinity" or "-Infinity")
        {
            return value;
        }

        return ExactDecimal.TryParse(Encoding.UTF8.GetBytes(text.Trim()), out var number) && (number.IsWhole || !whole)
            && number.ToText(Decimals(text)) is { } plain
            ? JsonElement.Parse(plain)
            : LensResult.Failed(whole ? "The text is not a whole number." : "The text is not a number.");
    }

    /// <summary>How many decimals are written, so that 1.50 stays 1.50; a form with an exponent has none to
    /// keep.</summary>
    private static int Decimals(string text)
    {
        var trimmed = text.Trim();
        var dot = trimmed.IndexOf('.');
        return dot < 0 || trimmed.AsSpan().IndexOfAny('e', 'E') >= 0 ? 0 : trimmed.Length - dot - 1;
    }
}
