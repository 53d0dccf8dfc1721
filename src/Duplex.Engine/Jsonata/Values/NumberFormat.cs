using System.Globalization;

namespace Duplex.Engine.Jsonata.Values;

/// <summary>Numbers as ECMAScript writes them, which is how the language's results are defined.</summary>
internal static class NumberFormat
{
    private const double PlainMax = 1e15;
    private const int WholeDigitsMax = 21;
    private const int FractionZerosMax = 6;

    /// <summary>The shortest text that reads back as the same double.</summary>
    public static string Shortest(double value)
    {
        if (value == Math.Floor(value) && Math.Abs(value) < PlainMax)
            return ((long)value).ToString(CultureInfo.InvariantCulture);
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

        var (digits, point) = Split(Math.Abs(value).ToString("R", CultureInfo.InvariantCulture));
        string sign = value < 0 ? "-" : "";
        if (point is > 0 and <= WholeDigitsMax)
        {
            return sign + (digits.Length <= point
                ? digits.PadRight(point, '0')
                : $"{digits.AsSpan(0, point)}.{digits.AsSpan(point)}");
        }
        if (point is <= 0 and > -FractionZerosMax)
            return $"{sign}0.{new string('0', -point)}{digits}";
        string mantissa = digits.Length == 1 ? digits : $"{digits[0]}.{digits.AsSpan(1)}";
        int exponent = point - 1;
        return string.Create(CultureInfo.InvariantCulture,
            $"{sign}{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent)}");
    }

    /// <summary>As <c>$string</c> shows it: to 15 significant digits if it has a fraction. A whole number with more
    /// digits than a double has is shown with all of them.</summary>
    public static string Shown(in Value number)
    {
        if (number.NumberText is { } text && text != "-0" && IsWhole(text))
            return text;
        double value = number.Number;
        if (value != Math.Floor(value))
            value = double.Parse(value.ToString("E14", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return Shortest(value);
    }

    public static bool IsWhole(string text) =>
        text.AsSpan(text[0] == '-' ? 1 : 0).IndexOfAnyExceptInRange('0', '9') < 0;

    /// <summary>The significant digits, and how many of them stand before the decimal point.</summary>
    private static (string Digits, int Point) Split(string text)
    {
        int mark = text.IndexOf('E');
        int exponent = mark < 0
            ? 0
            : int.Parse(text.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = mark < 0 ? text : text[..mark];
        int dot = mantissa.IndexOf('.');
        int point = (dot < 0 ? mantissa.Length : dot) + exponent;
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        string significant = digits.TrimStart('0');
        return (significant.TrimEnd('0'), point - (digits.Length - significant.Length));
    }
}
