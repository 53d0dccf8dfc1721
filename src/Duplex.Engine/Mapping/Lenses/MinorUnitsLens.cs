using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Lenses;

/// <summary>What happens to decimals that the currency does not have.</summary>
internal enum Rounding
{
    /// <summary>The record fails.</summary>
    Refuse,
    /// <summary>To the nearest, halves away from zero.</summary>
    HalfUp,
    /// <summary>To the nearest, halves to the even neighbour.</summary>
    HalfEven,
    /// <summary>Towards zero.</summary>
    Down,
}

/// <summary>Amounts of money in units and in minor units, exact for any number of digits.</summary>
internal static class MinorUnits
{
    /// <summary>An amount as minor units: <c>19.99</c> with two digits is <c>1999</c>.</summary>
    public static LensResult ToMinor(JsonElement value, int digits, Rounding rounding)
    {
        if (value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String)
            || !ValueEquality.TryNumber(value, out var amount))
        {
            return LensResult.Failed("minor_units takes a number, and the value is none.");
        }

        var units = amount.Shift(digits);
        if (!units.IsWhole)
        {
            if (rounding == Rounding.Refuse)
            {
                return LensResult.Failed($"The amount has more than {digits} decimals.");
            }

            units = units.Round(rounding);
        }

        return units.ToText() is { } text ? JsonElement.Parse(text) : LensResult.Failed("The amount is too large.");
    }

    /// <summary>Minor units as an amount with its decimals: <c>1900</c> with two digits is <c>19.00</c>.</summary>
    public static LensResult FromMinor(JsonElement value, int digits, FieldKind kind)
    {
        if (value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String)
            || !ValueEquality.TryNumber(value, out var units) || !units.IsWhole)
        {
            return LensResult.Failed("minor_units takes a whole number on B, and the value is none.");
        }

        var amount = units.Shift(-digits);
        if (kind == FieldKind.Integer && !amount.IsWhole)
        {
            return LensResult.Failed("The amount has minor units, and A's field takes whole numbers.");
        }

        return amount.ToText(kind == FieldKind.Integer ? 0 : digits) is not { } text
            ? LensResult.Failed("The amount is too large.")
            : kind == FieldKind.Text ? JsonText.String(text) : JsonElement.Parse(text);
    }
}

/// <summary><c>minor_units</c> with fixed digits: a decimal amount on A, whole minor units (cents) on B.</summary>
internal sealed class MinorUnitsLens(int digits, Rounding rounding, FieldKind left) : Lens
{
    public override string Name => "minor_units";

    public override FieldKind Left => left;

    public override FieldKind Right => FieldKind.Integer;

    public override LensLoss ForwardLoss =>
        rounding != Rounding.Refuse || left is FieldKind.Text or FieldKind.Any ? LensLoss.Collapses : LensLoss.Exact;

    public override string? Loss => rounding == Rounding.Refuse ? null : $"amounts are rounded to {digits} decimals";

    protected override LensResult Forward(JsonElement value) => MinorUnits.ToMinor(value, digits, rounding);

    protected override LensResult Backward(JsonElement value) => MinorUnits.FromMinor(value, digits, left);
}

/// <summary>
/// <c>minor_units: by_currency</c>: amount and currency on both sides. The currency decides the digits; it is lower
/// case on B and upper case on A, and case is no difference.
/// </summary>
internal sealed class CurrencyLens(Rounding rounding, FieldKind amountKind) : Lens
{
    public override string Name => "minor_units";

    public override FieldKind Left => FieldKind.List;

    public override FieldKind Right => FieldKind.List;

    public override LensLoss ForwardLoss => LensLoss.Collapses;

    public override LensLoss BackwardLoss => LensLoss.Collapses;

    public override string? Loss =>
        rounding == Rounding.Refuse ? null : "amounts are rounded to the decimals of their currency";

    protected override LensResult Forward(JsonElement value) => Map(value, static t => t.ToLowerInvariant(),
        (amount, digits) => MinorUnits.ToMinor(amount, digits, rounding));

    protected override LensResult Backward(JsonElement value) => Map(value, static t => t.ToUpperInvariant(),
        (amount, digits) => MinorUnits.FromMinor(amount, digits, amountKind));

    private static LensResult Map(JsonElement pair, Func<string, string> caseOf, Func<JsonElement, int, LensResult> map)
    {
        if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2)
        {
            return LensResult.Failed("minor_units takes an amount and a currency.");
        }

        var amount = FieldValue.Of(pair[0]);
        var currency = FieldValue.Of(pair[1]);
        if (currency.State == FieldState.Null)
        {
            return amount.State == FieldState.Null ? pair : LensResult.Failed("The amount has no currency.");
        }

        if (!JsonText.TryText(pair[1], out var code) || !Currencies.TryDigits(code, out var digits))
        {
            return LensResult.Failed("The currency is not a code of three letters.");
        }

        var mapped = amount.State == FieldState.Null ? amount : map(amount.Element, digits);
        return mapped.Problem is not null ? mapped
            : JsonText.Array([mapped.Value, FieldValue.Of(JsonText.String(caseOf(code.Trim())))]);
    }
}

/// <summary>How many decimals the minor unit of a currency has at payment vendors.</summary>
internal static class Currencies
{
    private static readonly HashSet<string> Zero = new(StringComparer.OrdinalIgnoreCase)
    {
        "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
    };

    private static readonly HashSet<string> Three = new(StringComparer.OrdinalIgnoreCase)
    {
        "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND",
    };

    /// <summary>The digits of a code of three letters; ISK and UGX have two there though ISO 4217 gives them
    /// none.</summary>
    public static bool TryDigits(string code, out int digits)
    {
        var trimmed = code.Trim();
        digits = Zero.Contains(trimmed) ? 0 : Three.Contains(trimmed) ? 3 : 2;
        return trimmed.Length == 3 && trimmed.All(char.IsAsciiLetter);
    }
}
