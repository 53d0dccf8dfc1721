using System.Globalization;
using System.Text;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary><c>$formatNumber</c>: pictures of XPath's <c>fn:format-number</c>, such as <c>#,##0.00</c>.</summary>
internal sealed class NumberPicture
{
    private const int CharactersMax = 1_000;

    private readonly DecimalSymbols _symbols;
    private readonly string _picture;
    private string _prefix;
    private readonly string _suffix;
    private readonly string _whole;
    private readonly string _fraction;
    private readonly string? _exponent;
    private readonly string _active;

    private NumberPicture(string picture, DecimalSymbols symbols)
    {
        _picture = picture;
        _symbols = symbols;
        int start = IndexOfActive(0, 1);
        int end = IndexOfActive(picture.Length - 1, -1) + 1;
        _prefix = start < picture.Length ? picture[..start] : "";
        _suffix = end > 0 ? picture[end..] : "";
        _active = picture[_prefix.Length..(picture.Length - _suffix.Length)];
        int mark = _active.IndexOf(symbols.Exponent, StringComparison.Ordinal);
        string mantissa = mark < 0 ? _active : _active[..mark];
        bool hasEmptyExponent = mark < 0 && _suffix.StartsWith(symbols.Exponent, StringComparison.Ordinal);
        _exponent = mark >= 0 ? _active[(mark + symbols.Exponent.Length)..] : hasEmptyExponent ? "" : null;
        int point = mantissa.IndexOf(symbols.Point, StringComparison.Ordinal);
        _whole = point < 0 ? mantissa : mantissa[..point];
        _fraction = point < 0 ? "" : mantissa[(point + symbols.Point.Length)..];
    }

    public static Value Format(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string picture = arguments[1].IsUndefined ? "" : arguments[1].Text;
        if (picture.Length > CharactersMax)
            throw JsonataException.Limit($"A picture has more than {CharactersMax} characters.");
        site.Run.Steps(picture.Length);
        site.Run.Charge(400 + 20L * picture.Length);
        var symbols = DecimalSymbols.Of(arguments[2]);
        string[] parts = picture.Split(symbols.Pattern);
        if (parts.Length > 2)
            throw Errors.Of("D3080");
        var pictures = Array.ConvertAll(parts, p => new NumberPicture(p, symbols));
        foreach (var each in pictures)
            each.Validate();
        double value = arguments[0].Number;
        var chosen = pictures[value >= 0 ? 0 : ^1];
        if (value < 0 && pictures.Length == 1)
            chosen._prefix = symbols.Minus + chosen._prefix;
        return Value.Of(chosen.Format(value));
    }

    private int IndexOfActive(int from, int direction)
    {
        int i = from;
        while (i >= 0 && i < _picture.Length && !(_symbols.IsActive(_picture[i]) && _symbols.Exponent != _picture[i].ToString()))
            i += direction;
        return i;
    }

    /// <summary>If several rules are broken, the last one is told.</summary>
    private void Validate()
    {
        string? broken = null;
        void Rule(bool isBroken, string code) => broken = isBroken ? code : broken;

        Rule(CountOf(_symbols.Point) > 1, "D3081");
        Rule(CountOf(_symbols.Percent) > 1, "D3082");
        Rule(CountOf(_symbols.PerMille) > 1, "D3083");
        Rule(CountOf(_symbols.Percent) > 0 && CountOf(_symbols.PerMille) > 0, "D3084");
        Rule(!(_whole + _fraction).Any(_symbols.IsAnyDigit), "D3085");
        Rule(_active.Any(c => !_symbols.IsActive(c)), "D3086");
        int point = _picture.IndexOf(_symbols.Point, StringComparison.Ordinal);
        if (point >= 0)
            Rule(IsGrouping(point - 1) || IsGrouping(point + 1), "D3087");
        else
            Rule(_whole.EndsWith(_symbols.Grouping, StringComparison.Ordinal), "D3088");
        Rule(_picture.Contains(_symbols.Grouping + _symbols.Grouping, StringComparison.Ordinal), "D3089");
        int optional = _whole.IndexOf(_symbols.Optional, StringComparison.Ordinal);
        Rule(optional >= 0 && _whole[..optional].Any(_symbols.IsDigit), "D3090");
        optional = _fraction.LastIndexOf(_symbols.Optional, StringComparison.Ordinal);
        Rule(optional >= 0 && _fraction[optional..].Any(_symbols.IsDigit), "D3091");
        Rule(_exponent?.Length > 0 && CountOf(_symbols.Percent) + CountOf(_symbols.PerMille) > 0, "D3092");
        Rule(_exponent is not null && (_exponent.Length == 0 || !_exponent.All(_symbols.IsDigit)), "D3093");
        if (broken is not null)
            throw Errors.Of(broken);
    }

    private bool IsGrouping(int index) =>
        index >= 0 && index < _picture.Length && _picture[index].ToString() == _symbols.Grouping;

    private int CountOf(string symbol) =>
        symbol.Length == 0 ? 0 : _picture.Split(symbol, StringSplitOptions.None).Length - 1;

    private string Format(double value)
    {
        if (!double.IsFinite(value))
            return _prefix + (double.IsNaN(value) ? _symbols.NaN : _symbols.Infinity) + _suffix;
        int wholeMin = _whole.Count(_symbols.IsDigit);
        int scale = wholeMin;
        int fractionMin = _fraction.Count(_symbols.IsDigit);
        int fractionMax = _fraction.Count(_symbols.IsAnyDigit);
        if (wholeMin == 0 && fractionMax == 0)
        {
            if (_exponent is null)
                wholeMin = 1;
            else
                fractionMin = fractionMax = 1;
        }
        if (_exponent is not null && wholeMin == 0 && _whole.Contains(_symbols.Optional, StringComparison.Ordinal))
            wholeMin = 1;
        if (wholeMin == 0 && fractionMin == 0)
            fractionMin = 1;

        double adjusted = value * (CountOf(_symbols.Percent) > 0 ? 100 : CountOf(_symbols.PerMille) > 0 ? 1000 : 1);
        int? exponent = _exponent is null ? null : Normalize(ref adjusted, scale);
        double rounded = Math.Abs(NumberFunctions.RoundHalfEven(adjusted, fractionMax));
        string digits = rounded.ToString("F" + fractionMax.ToString(CultureInfo.InvariantCulture),
            CultureInfo.InvariantCulture);
        int point = digits.IndexOf('.', StringComparison.Ordinal);
        string whole = (point < 0 ? digits : digits[..point]).TrimStart('0').PadLeft(wholeMin, '0');
        string fraction = (point < 0 ? "" : digits[(point + 1)..]).TrimEnd('0').PadRight(fractionMin, '0');
        return Assemble(whole, fraction, exponent);
    }

    private string Assemble(string whole, string fraction, int? exponent)
    {
        var result = new StringBuilder(_prefix).Append(GroupedWhole(Localized(whole)));
        if (fraction.Length > 0)
            result.Append(_symbols.Point).Append(GroupedFraction(Localized(fraction)));
        if (exponent is { } power)
        {
            string digits = Math.Abs(power).ToString(CultureInfo.InvariantCulture).PadLeft(_exponent!.Length, '0');
            result.Append(_symbols.Exponent).Append(power < 0 ? _symbols.Minus : "").Append(Localized(digits));
        }
        return result.Append(_suffix).ToString();
    }

    /// <summary>Scales the mantissa to as many whole digits as the picture has, and tells the power of ten that makes
    /// up for it.</summary>
    private static int Normalize(ref double mantissa, int scale)
    {
        double max = Math.Pow(10, scale);
        double min = Math.Pow(10, scale - 1);
        int exponent = 0;
        for (; mantissa != 0 && Math.Abs(mantissa) < min; exponent--)
            mantissa *= 10;
        for (; Math.Abs(mantissa) > max; exponent++)
            mantissa /= 10;
        return exponent;
    }

    private string Localized(string digits) =>
        _symbols.Zero == '0' ? digits : string.Concat(digits.Select(d => (char)(d - '0' + _symbols.Zero)));

    private string GroupedWhole(string digits)
    {
        List<int> places = [];
        for (int at = Next(_whole, 0); at >= 0; at = Next(_whole, at + 1))
            places.Add(_whole[at..].Count(_symbols.IsAnyDigit));
        int interval = DigitGroups.Interval(places);
        var result = new StringBuilder();
        for (int i = 0; i < digits.Length; i++)
        {
            int left = digits.Length - i;
            if (i > 0 && (interval > 0 ? left % interval == 0 : places.Contains(left)))
                result.Append(_symbols.Grouping);
            result.Append(digits[i]);
        }
        return result.ToString();
    }

    private string GroupedFraction(string digits)
    {
        HashSet<int> places = [];
        for (int at = Next(_fraction, 0); at >= 0; at = Next(_fraction, at + 1))
            places.Add(_fraction[..at].Count(_symbols.IsAnyDigit));
        var result = new StringBuilder();
        for (int i = 0; i < digits.Length; i++)
        {
            if (i > 0 && places.Contains(i))
                result.Append(_symbols.Grouping);
            result.Append(digits[i]);
        }
        return result.ToString();
    }

    private int Next(string part, int from) => part.IndexOf(_symbols.Grouping, from, StringComparison.Ordinal);
}

/// <summary>The characters that pictures and results are made of.</summary>
internal sealed record DecimalSymbols
{
    private static readonly DecimalSymbols _default = new();

    public string Point { get; init; } = ".";

    public string Grouping { get; init; } = ",";

    public string Exponent { get; init; } = "e";

    public string Infinity { get; init; } = "Infinity";

    public string Minus { get; init; } = "-";

    public string NaN { get; init; } = "NaN";

    public string Percent { get; init; } = "%";

    public string PerMille { get; init; } = "\u2030";

    public char Zero { get; init; } = '0';

    public string Optional { get; init; } = "#";

    public string Pattern { get; init; } = ";";

    public static DecimalSymbols Of(in Value options)
    {
        var result = _default;
        if (options.Kind != ValueKind.Object)
            return result;
        foreach (var (name, value) in options.Object.Members)
        {
            if (value.Kind != ValueKind.String || value.Text.Length == 0)
                continue;
            string text = value.Text;
            result = name switch
            {
                "decimal-separator" => result with { Point = text },
                "grouping-separator" => result with { Grouping = text },
                "exponent-separator" => result with { Exponent = text },
                "infinity" => result with { Infinity = text },
                "minus-sign" => result with { Minus = text },
                "NaN" => result with { NaN = text },
                "percent" => result with { Percent = text },
                "per-mille" => result with { PerMille = text },
                "zero-digit" => result with { Zero = text[0] },
                "digit" => result with { Optional = text },
                "pattern-separator" => result with { Pattern = text },
                _ => result,
            };
        }
        return result;
    }

    public bool IsDigit(char c) => c >= Zero && c < Zero + 10;

    public bool IsAnyDigit(char c) => IsDigit(c) || Is(c, Optional);

    public bool IsActive(char c) => IsAnyDigit(c) || Is(c, Point) || Is(c, Exponent) || Is(c, Grouping) || Is(c, Pattern);

    private static bool Is(char c, string symbol) => symbol.Length == 1 && symbol[0] == c;
}

/// <summary>Where digits are separated into groups.</summary>
internal static class DigitGroups
{
    /// <summary>The number of digits in each group if the places, counted from the right, are all multiples of one
    /// number and none of them is missing; else zero.</summary>
    public static int Interval(List<int> places)
    {
        if (places.Count == 0)
            return 0;
        int divisor = places.Aggregate(static (a, b) => (int)System.Numerics.BigInteger.GreatestCommonDivisor(a, b));
        return divisor > 0 && Enumerable.Range(1, places.Count).All(n => places.Contains(n * divisor)) ? divisor : 0;
    }
}
