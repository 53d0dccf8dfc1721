using System.Globalization;
using System.Text;
using Duplex.Engine.Mapping;
using Duplex.Engine.Schemas.Formats;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>
/// A record's version as its source counts it. Numbers (JSON numbers of any size, and texts of digits) come in numerical order, RFC 3339
/// instants in the order of time. Any other text is a name: equal to itself, and before or after nothing. Nor is a number
/// before or after an instant.
/// </summary>
internal readonly struct RecordVersion : IEquatable<RecordVersion>
{
    private readonly Kind _kind;
    private readonly string? _text;

    private RecordVersion(Kind kind, string text) => (_kind, _text) = (kind, text);

    private enum Kind : byte
    {
        None,
        Number,
        Instant,
        Name,
    }

    /// <summary>Whether it can be before or after another one.</summary>
    public bool HasOrder => _kind is Kind.Number or Kind.Instant;

    /// <summary>The version of a change; the default value where it has none.</summary>
    public static RecordVersion Of(Change change) => Of(change.Version, change.IsVersionNumber);

    /// <summary>A version as its source wrote it: as a JSON number, or as text.</summary>
    public static RecordVersion Of(string? text, bool isNumber) => text switch
    {
        null => default,
        _ when IsNumber(text, isNumber) => new(Kind.Number, text),
        _ when TimeFormats.IsDateTime(text) => new(Kind.Instant, text),
        _ => new(Kind.Name, text),
    };

    /// <summary>A version with an order, from its <see cref="ToString"/>.</summary>
    public static RecordVersion FromStored(string? text) => Of(text, isNumber: true);

    /// <summary>Whether it is known to be older than the other one.</summary>
    public bool IsBefore(in RecordVersion other) => _kind == other._kind && _kind switch
    {
        Kind.Number => Compare(_text!, other._text!) < 0,
        Kind.Instant => Instant(_text!).CompareTo(Instant(other._text!)) < 0,
        _ => false,
    };

    /// <summary>A text that all forms of one version have in common, and no two versions.</summary>
    public string Canonical() => _kind switch
    {
        Kind.Number when ExactDecimal.TryParse(Encoding.ASCII.GetBytes(_text!), out var number) =>
            string.Create(CultureInfo.InvariantCulture, $"n{(number.Negative ? "-" : "")}{number.Digits}e{number.Exponent}"),
        Kind.Instant when Instant(_text!) is var (seconds, fraction) =>
            string.Create(CultureInfo.InvariantCulture, $"t{seconds}.{fraction}"),
        _ => $"s{_text}",
    };

    /// <inheritdoc/>
    public bool Equals(RecordVersion other) => _kind == other._kind && _kind switch
    {
        Kind.Number => Compare(_text!, other._text!) == 0,
        Kind.Instant => Instant(_text!) == Instant(other._text!),
        _ => _text == other._text,
    };

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is RecordVersion other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Canonical().GetHashCode(StringComparison.Ordinal);

    /// <summary>The version as its source wrote it.</summary>
    public override string ToString() => _text ?? "";

    private static bool IsNumber(string text, bool isNumber) =>
        isNumber ? IsPlain(text) || ExactDecimal.TryParse(Encoding.UTF8.GetBytes(text), out _)
        : text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('0', '9');

    /// <summary>Whether it is the only way to write its number in digits alone.</summary>
    private static bool IsPlain(string text) =>
        text.Length > 0 && (text[0] != '0' || text.Length == 1) && !text.AsSpan().ContainsAnyExceptInRange('0', '9');

    private static int Compare(string left, string right)
    {
        if (IsPlain(left) && IsPlain(right))
        {
            return left.Length != right.Length ? left.Length.CompareTo(right.Length) : string.CompareOrdinal(left, right);
        }

        ExactDecimal.TryParse(Encoding.ASCII.GetBytes(left), out var first);
        ExactDecimal.TryParse(Encoding.ASCII.GetBytes(right), out var second);
        return ExactDecimal.Compare(first, second);
    }

    /// <summary>Seconds in UTC, and the decimals of the second without zeros at their end: any precision compares exactly.</summary>
    private static (long Seconds, Fraction Fraction) Instant(ReadOnlySpan<char> text)
    {
        var zone = text[19..].IndexOfAny("Zz+-") + 19;
        var day = Days(Digits(text[..4]), Digits(text[5..7]), Digits(text[8..10]));
        var minutes = (((day * 24) + Digits(text[11..13])) * 60) + Digits(text[14..16]);
        if (text[zone] is '+' or '-')
        {
            var offset = (Digits(text[(zone + 1)..(zone + 3)]) * 60) + Digits(text[(zone + 4)..]);
            minutes += text[zone] == '+' ? -offset : offset;
        }

        return ((minutes * 60) + Digits(text[17..19]), new Fraction(new string(text[19..zone].TrimStart('.').TrimEnd('0'))));
    }

    /// <summary>Days since the first of March of the year -400.</summary>
    private static long Days(long year, long month, long day)
    {
        year += 400 - (month <= 2 ? 1 : 0);
        return (365 * year) + (year / 4) - (year / 100) + (year / 400) + ((153 * ((month + 9) % 12)) + 2) / 5 + day;
    }

    private static long Digits(ReadOnlySpan<char> text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>Decimals, which compare as their digits do.</summary>
    private readonly record struct Fraction(string Digits) : IComparable<Fraction>
    {
        public int CompareTo(Fraction other) => string.CompareOrdinal(Digits, other.Digits);

        public override string ToString() => Digits;
    }
}
