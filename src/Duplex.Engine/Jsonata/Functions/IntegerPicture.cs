using System.Globalization;
using System.Text;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

internal enum IntegerForm : byte
{
    Decimal,
    Letters,
    Roman,
    Words,
    Sequence,
}

internal enum LetterCase : byte
{
    Lower,
    Upper,
    Title,
}

/// <summary>A picture of XPath's <c>fn:format-integer</c>: <c>1</c>, <c>001</c>, <c>#,##0</c>, <c>1;o</c>, <c>a</c>,
/// <c>I</c>, <c>Ww</c> and so on.</summary>
internal sealed class IntegerPicture
{
    private const int CharactersMax = 1_000;

    /// <summary>The zeros of the groups of decimal digits in Unicode's first plane.</summary>
    private static readonly int[] _zeros =
    [
        0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
        0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
        0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    ];

    private readonly List<(int Place, string Separator)> _separators = [];
    private readonly string _token;
    private int _zero = '0';
    private int _interval;

    private IntegerPicture(string token) => _token = token;

    public IntegerForm Form { get; private set; }

    public LetterCase Case { get; private set; }

    public bool IsOrdinal { get; private set; }

    public int MandatoryDigits { get; set; }

    public int OptionalDigits { get; private set; }

    /// <summary>Digits are separated at equal distances, by one separator.</summary>
    public bool IsRegular => _interval > 0;

    /// <summary>The separator of a regular picture.</summary>
    public string? Separator => IsRegular ? _separators[0].Separator : null;

    public static IntegerPicture Parse(string picture)
    {
        if (picture.Length > CharactersMax)
            throw JsonataException.Limit($"A picture has more than {CharactersMax} characters.");
        int semicolon = picture.LastIndexOf(';');
        string primary = semicolon < 0 ? picture : picture[..semicolon];
        var result = new IntegerPicture(primary)
        {
            IsOrdinal = semicolon >= 0 && semicolon + 1 < picture.Length && picture[semicolon + 1] == 'o',
        };
        (result.Form, result.Case) = primary switch
        {
            "A" => (IntegerForm.Letters, LetterCase.Upper),
            "a" => (IntegerForm.Letters, LetterCase.Lower),
            "I" => (IntegerForm.Roman, LetterCase.Upper),
            "i" => (IntegerForm.Roman, LetterCase.Lower),
            "W" => (IntegerForm.Words, LetterCase.Upper),
            "w" => (IntegerForm.Words, LetterCase.Lower),
            "Ww" => (IntegerForm.Words, LetterCase.Title),
            _ => (IntegerForm.Decimal, LetterCase.Lower),
        };
        if (result.Form == IntegerForm.Decimal)
            result.ReadDigits(primary);
        return result;
    }

    public string Format(double value, EvaluationRun run)
    {
        if (!double.IsFinite(value))
            throw Errors.OutOfRange(value);
        double number = Math.Abs(value);
        // A thousand m's for each million, and about 20 characters for each group of words.
        run.Charge(Form == IntegerForm.Roman ? (long)Math.Min(number / 500, long.MaxValue / 2) : 500);
        string text = Form switch
        {
            IntegerForm.Letters => NumberWords.ToLetters(number, Case == LetterCase.Upper ? 'A' : 'a'),
            IntegerForm.Roman => NumberWords.ToRoman(number),
            IntegerForm.Words => NumberWords.ToWords(number, IsOrdinal),
            IntegerForm.Decimal => FormatDigits(number),
            _ => throw Errors.Of("D3130", _token),
        };
        if (Form is IntegerForm.Roman or IntegerForm.Words && Case != LetterCase.Title)
            text = Case == LetterCase.Upper ? text.ToUpperInvariant() : text.ToLowerInvariant();
        return value < 0 ? "-" + text : text;
    }

    /// <summary>The number that the text tells; NaN if it tells none.</summary>
    public double Read(string text) => Form switch
    {
        IntegerForm.Letters => NumberWords.FromLetters(text, Case == LetterCase.Upper ? 'A' : 'a'),
        IntegerForm.Roman => NumberWords.FromRoman(text),
        IntegerForm.Words => NumberWords.FromWords(text),
        IntegerForm.Decimal => ReadDigitsOf(text),
        _ => throw Errors.Of("D3130", _token),
    };

    /// <summary>A regular expression for what <see cref="Read"/> takes, with so many digits if that is given.</summary>
    public string Pattern(int? digits) => Form switch
    {
        IntegerForm.Letters => Case == LetterCase.Upper ? "[A-Z]+" : "[a-z]+",
        IntegerForm.Roman => "[MDCLXVImdclxvi]+",
        IntegerForm.Words => $"(?:{string.Join('|', NumberWords.Words.Append("and"))}|[-, ])+",
        IntegerForm.Decimal => (digits is > 0 ? $"[0-9]{{{digits}}}" : "[0-9]+") + (IsOrdinal ? "(?:th|st|nd|rd)" : ""),
        _ => throw Errors.Of("D3130", _token),
    };

    private void ReadDigits(string primary)
    {
        int? zero = null;
        int place = 0;
        foreach (var rune in primary.EnumerateRunes().Reverse())
        {
            int at = Array.FindIndex(_zeros, z => rune.Value >= z && rune.Value <= z + 9);
            if (at >= 0)
            {
                if (zero is not null && zero != _zeros[at])
                    throw Errors.Of("D3131");
                zero = _zeros[at];
                MandatoryDigits++;
                place++;
            }
            else if (rune.Value == '#')
            {
                OptionalDigits++;
                place++;
            }
            else
                _separators.Add((place, rune.ToString()));
        }
        if (MandatoryDigits == 0)
        {
            Form = IntegerForm.Sequence;
            return;
        }
        _zero = zero!.Value;
        if (_separators.Count > 0 && _separators.TrueForAll(s => s.Separator == _separators[0].Separator))
            _interval = DigitGroups.Interval(_separators.ConvertAll(s => s.Place));
    }

    private string FormatDigits(double number)
    {
        string digits = NumberFormat.Shortest(number).PadLeft(MandatoryDigits, '0');
        var result = new StringBuilder();
        for (int i = 0; i < digits.Length; i++)
        {
            int left = digits.Length - i;
            if (i > 0)
                AppendSeparators(result, left);
            result.Append(char.IsAsciiDigit(digits[i]) ? char.ConvertFromUtf32(digits[i] - '0' + _zero) : digits[i].ToString());
        }
        AppendSeparators(result, 0);
        return IsOrdinal ? result.Append(OrdinalSuffix(digits)).ToString() : result.ToString();
    }

    private void AppendSeparators(StringBuilder result, int place)
    {
        if (IsRegular)
        {
            if (place > 0 && place % _interval == 0)
                result.Append(Separator);
            return;
        }
        for (int i = _separators.Count - 1; i >= 0; i--)
        {
            if (_separators[i].Place == place)
                result.Append(_separators[i].Separator);
        }
    }

    private static string OrdinalSuffix(string digits)
    {
        if (digits.Length > 1 && digits[^2] == '1')
            return "th";
        return digits[^1] switch { '1' => "st", '2' => "nd", '3' => "rd", _ => "th" };
    }

    private double ReadDigitsOf(string text)
    {
        if (IsOrdinal && text.Length >= 2)
            text = text[..^2];
        foreach (var (_, separator) in _separators)
            text = text.Replace(separator, "", StringComparison.Ordinal);
        double number = 0;
        int at = text.Length > 0 && text[0] is '-' or '+' ? 1 : 0;
        int start = at;
        for (; at < text.Length && text[at] >= _zero && text[at] <= _zero + 9; at++)
            number = number * 10 + (text[at] - _zero);
        return at == start ? double.NaN : text[0] == '-' ? -number : number;
    }
}

internal static class IntegerFunctions
{
    public static Value FormatInteger(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        var picture = IntegerPicture.Parse(arguments[1].IsUndefined ? "" : arguments[1].Text);
        return Value.Of(picture.Format(Math.Floor(arguments[0].Number), site.Run));
    }

    public static Value ParseInteger(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string text = arguments[0].Text;
        site.Run.Steps(text.Length);
        double number = IntegerPicture.Parse(arguments[1].IsUndefined ? "" : arguments[1].Text).Read(text);
        return double.IsFinite(number) ? Value.Of(number) : throw Errors.Of("D3030", text.Length > 100 ? text[..100] : text);
    }
}
