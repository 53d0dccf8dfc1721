using System.Collections.Concurrent;
using System.Globalization;
using Duplex.Engine.Jsonata.Evaluation;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary>A literal text, or a component of a date such as <c>[M01]</c>.</summary>
internal sealed class DatePart
{
    public string? Literal { get; init; }

    public char Component { get; init; }

    /// <summary>The letters of a name; null if it is shown as a number.</summary>
    public LetterCase? Name { get; set; }

    public IntegerPicture? Number { get; set; }

    public int? WidthMax { get; set; }

    /// <summary>Digits that a year keeps; null if all.</summary>
    public int? YearDigits { get; set; }

    /// <summary>Digits that it has when it is read, since another number follows without anything between.</summary>
    public int? ReadDigits { get; set; }

    /// <summary>UTC is shown as Z.</summary>
    public bool ShowsZulu { get; set; }

    public bool IsZone => Component is 'Z' or 'z';
}

/// <summary>A picture of XPath's <c>fn:format-dateTime</c>, such as <c>[Y0001]-[M01]-[D01]</c>.</summary>
internal sealed class DatePicture
{
    public const string Iso = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";

    private const int CharactersMax = 1_000;
    private const int KnownMax = 256;
    private const string NumericComponents = "YMDdFWwXxHhmsf";

    private static readonly ConcurrentDictionary<string, DatePicture> _known = new(StringComparer.Ordinal);

    private readonly Lazy<DateReader> _reader;

    private DatePicture()
    {
        _reader = new(() => new(this));
    }

    public List<DatePart> Parts { get; } = [];

    public DateReader Reader => _reader.Value;

    public static DatePicture Of(string picture)
    {
        if (picture.Length > CharactersMax)
            throw JsonataException.Limit($"A picture has more than {CharactersMax} characters.");
        if (_known.TryGetValue(picture, out var known))
            return known;
        var parsed = Parse(picture);
        if (_known.Count < KnownMax)
            _known.TryAdd(picture, parsed);
        return parsed;
    }

    private static DatePicture Parse(string picture)
    {
        var result = new DatePicture();
        int start = 0;
        int at = 0;
        while (at < picture.Length)
        {
            if (picture[at] != '[')
            {
                at++;
                continue;
            }
            result.AddLiteral(picture[start..at]);
            if (at + 1 < picture.Length && picture[at + 1] == '[')
            {
                result.Parts.Add(new() { Literal = "[" });
                start = at += 2;
                continue;
            }
            int end = picture.IndexOf(']', at);
            if (end < 0)
                throw Errors.Of("D3135");
            result.AddComponent(string.Concat(picture[(at + 1)..end].Where(c => !char.IsWhiteSpace(c))));
            start = at = end + 1;
        }
        result.AddLiteral(picture[start..]);
        return result;
    }

    private void AddLiteral(string text)
    {
        if (text.Length > 0)
            Parts.Add(new() { Literal = text.Replace("]]", "]", StringComparison.Ordinal) });
    }

    private void AddComponent(string marker)
    {
        char component = marker.Length > 0 ? marker[0] : '\0';
        int comma = marker.LastIndexOf(',');
        string presentation = comma < 0 ? marker[Math.Min(1, marker.Length)..] : marker[1..Math.Max(1, comma)];
        var (min, max) = comma < 0 ? (null, null) : Widths(marker[(comma + 1)..]);
        char modifier = '\0';
        if (presentation.Length > 1 && presentation[^1] is 'a' or 't' or 'c' or 'o')
        {
            modifier = presentation[^1];
            presentation = presentation[..^1];
        }
        if (presentation.Length == 0)
            presentation = Default(component) ?? throw Errors.Of("D3132", component == '\0' ? "" : component.ToString());
        var part = new DatePart { Component = component, WidthMax = max, ShowsZulu = modifier == 't' };
        if (presentation[0] == 'n')
            part.Name = LetterCase.Lower;
        else if (presentation[0] == 'N')
            part.Name = presentation.Length > 1 && presentation[1] == 'n' ? LetterCase.Title : LetterCase.Upper;
        else if (NumericComponents.Contains(component, StringComparison.Ordinal))
        {
            SetNumber(part, modifier == '\0' ? presentation : $"{presentation};{modifier}", min, max);
            if (Parts.Count > 0 && Parts[^1] is { Number: { } previous, IsZone: false })
                Parts[^1].ReadDigits = previous.MandatoryDigits;
        }
        if (part.IsZone)
            part.Number = IntegerPicture.Parse(presentation);
        Parts.Add(part);
    }

    private static void SetNumber(DatePart part, string presentation, int? min, int? max)
    {
        part.Number = IntegerPicture.Parse(presentation);
        if (min > part.Number.MandatoryDigits)
            part.Number.MandatoryDigits = min.Value;
        if (part.Component != 'Y')
            return;
        int digits = part.Number.MandatoryDigits + part.Number.OptionalDigits;
        if (max is not null)
            part.Number.MandatoryDigits = max.Value;
        part.YearDigits = max ?? (digits >= 2 ? digits : null);
    }

    private static (int? Min, int? Max) Widths(string text)
    {
        int dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash < 0 ? (Width(text), null) : (Width(text[..dash]), Width(text[(dash + 1)..]));
    }

    private static int? Width(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            ? Math.Min(width, CharactersMax)
            : null;

    private static string? Default(char component) => component switch
    {
        'Y' or 'M' or 'D' or 'd' or 'W' or 'w' or 'X' or 'x' or 'H' or 'h' or 'f' => "1",
        'm' or 's' => "01",
        'F' or 'P' or 'C' or 'E' => "n",
        'Z' or 'z' => "01:01",
        _ => null,
    };
}
