using System.Globalization;
using System.Text;

namespace Duplex.Engine.Mapping;

/// <summary>
/// A decimal number with all its digits: <c>±Digits × 10^Exponent</c>, digits without zeros at either end. Two are
/// equal when they are the same number.
/// </summary>
/// <param name="Negative">Below zero; false for zero.</param>
/// <param name="Digits">The significant digits; empty for zero.</param>
/// <param name="Exponent">The power of ten of the last digit; 0 for zero.</param>
internal readonly record struct ExactDecimal(bool Negative, string Digits, int Exponent)
{
    private const int ExponentMax = 1_000_000;
    private const int TextMax = 150_000;

    /// <summary>Whether it is zero.</summary>
    public bool IsZero => Digits.Length == 0;

    /// <summary>Whether it has no decimals.</summary>
    public bool IsWhole => Exponent >= 0;

    /// <summary>Reads JSON's form of numbers, a leading plus, and leading zeros.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ExactDecimal value)
    {
        value = new ExactDecimal(false, "", 0);
        var negative = text is [(byte)'-', ..];
        if (text is [(byte)'-' or (byte)'+', ..])
        {
            text = text[1..];
        }

        var e = text.IndexOfAny((byte)'e', (byte)'E');
        var exponent = 0;
        if (e >= 0)
        {
            if (!int.TryParse(text[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture,
                out exponent)
                || exponent is > ExponentMax or < -ExponentMax)
            {
                return false;
            }

            text = text[..e];
        }

        var dot = text.IndexOf((byte)'.');
        var whole = dot < 0 ? text : text[..dot];
        var decimals = dot < 0 ? [] : text[(dot + 1)..];
        if (whole.IsEmpty || (dot >= 0 && decimals.IsEmpty) || !AllDigits(whole) || !AllDigits(decimals))
        {
            return false;
        }

        value = Normal(negative, $"{Encoding.ASCII.GetString(whole)}{Encoding.ASCII.GetString(decimals)}",
            exponent - decimals.Length);
        return true;
    }

    /// <summary>The number times ten to the power.</summary>
    public ExactDecimal Shift(int power) => IsZero ? this : this with { Exponent = Exponent + power };

    /// <summary>The whole number to which it rounds.</summary>
    public ExactDecimal Round(Lenses.Rounding rounding)
    {
        if (IsWhole)
        {
            return this;
        }

        var whole = Math.Max(0, Digits.Length + Exponent);
        var kept = Digits.Length + Exponent < 0 ? "0" : $"0{Digits[..whole]}";
        var next = Digits.Length + Exponent < 0 ? '0' : Digits[whole];
        var isHalf = next == '5' && whole == Digits.Length - 1;
        var up = rounding switch
        {
            Lenses.Rounding.HalfUp => next >= '5',
            Lenses.Rounding.HalfEven => next > '5' || (next == '5' && (!isHalf || (kept[^1] - '0') % 2 == 1)),
            _ => false,
        };
        return Normal(Negative, up ? (System.Numerics.BigInteger.Parse(kept, CultureInfo.InvariantCulture) + 1)
            .ToString(CultureInfo.InvariantCulture) : kept, 0);
    }

    /// <summary>The order of two numbers.</summary>
    public static int Compare(ExactDecimal left, ExactDecimal right)
    {
        if (left.Sign != right.Sign)
        {
            return left.Sign.CompareTo(right.Sign);
        }

        var magnitude = (left.Digits.Length + left.Exponent).CompareTo(right.Digits.Length + right.Exponent);
        if (magnitude == 0)
        {
            magnitude = string.CompareOrdinal(left.Digits, right.Digits);
        }

        return left.Negative ? -magnitude : magnitude;
    }

    /// <summary>Plain text with at least the given decimals (<c>12.50</c>); null when it would be absurdly
    /// long.</summary>
    public string? ToText(int decimalsMin = 0)
    {
        var decimals = Math.Max(decimalsMin, Math.Max(0, -Exponent));
        if (Digits.Length + Math.Max(0, Exponent) + decimals > TextMax)
        {
            return null;
        }

        var digits = Exponent > 0 ? Digits + new string('0', Exponent) : Digits;
        digits += new string('0', decimals - Math.Max(0, -Exponent));
        digits = digits.PadLeft(decimals + 1, '0');
        var text = decimals == 0 ? digits : $"{digits[..^decimals]}.{digits[^decimals..]}";
        return Negative ? $"-{text}" : text;
    }

    private int Sign => IsZero ? 0 : Negative ? -1 : 1;

    private static ExactDecimal Normal(bool negative, string digits, int exponent)
    {
        var end = digits.Length;
        while (end > 0 && digits[end - 1] == '0')
        {
            end--;
        }

        var start = 0;
        while (start < end && digits[start] == '0')
        {
            start++;
        }

        return start == end
            ? new ExactDecimal(false, "", 0)
            : new ExactDecimal(negative, digits[start..end], exponent + digits.Length - end);
    }

    private static bool AllDigits(ReadOnlySpan<byte> text) => text.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
}
