using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Duplex.Engine.Jsonata.Evaluation;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary>Reads instants by a picture.</summary>
internal sealed class DateReader
{
    private const string Times24 = "Hmsf";
    private const string Times12 = "Phmsf";

    private readonly Regex _pattern;
    private readonly List<DatePart> _groups = [];

    public DateReader(DatePicture picture)
    {
        var pattern = new StringBuilder("^");
        foreach (var part in picture.Parts)
        {
            if (part.Literal is not null)
                pattern.Append(Regex.Escape(part.Literal));
            else
            {
                pattern.Append('(').Append(Pattern(part)).Append(')');
                _groups.Add(part);
            }
        }
        _pattern = new(pattern.Append("\\z").ToString(),
            RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking,
            TimeSpan.FromMilliseconds(250));
    }

    /// <summary>The milliseconds since 1970; null if the text is not as the picture says.</summary>
    public double? Read(string text, long nowMillis)
    {
        Match match;
        try
        {
            match = _pattern.Match(text);
        }
        catch (RegexMatchTimeoutException)
        {
            throw JsonataException.Limit("Reading a timestamp takes longer than 250 ms.");
        }
        if (!match.Success)
            return null;
        var values = new Dictionary<char, double>();
        for (int i = 0; i < _groups.Count; i++)
        {
            if (Value(_groups[i], match.Groups[i + 1].Value) is { } value)
                values[_groups[i].Component] = value;
        }
        return values.Count == 0 ? null : Instant(values, CivilDate.Of(nowMillis));
    }

    private static string Pattern(DatePart part)
    {
        if (part.IsZone)
        {
            string separator = part.Number?.Separator is { } s ? Regex.Escape(s) + "[0-9]+" : "";
            string offset = "[-+][0-9]+" + separator;
            return (part.Component == 'z' ? "GMT" : "") + (part.ShowsZulu ? $"(?:Z|{offset})" : offset);
        }
        if (part.Component == 'f')
            return "[0-9]+";
        if (part.Number is not null)
            return part.Number.Pattern(part.ReadDigits);
        return part.Component is 'M' or 'x' or 'F' or 'P'
            ? "[a-zA-Z]+"
            : throw Errors.Of("D3133", part.Component.ToString());
    }

    private static double? Value(DatePart part, string text)
    {
        if (part.IsZone)
            return Offset(part, text);
        if (part.Component == 'f')
            return double.Parse("0." + text[..Math.Min(3, text.Length)], CultureInfo.InvariantCulture) * 1000;
        if (part.Number is not null)
            return part.Number.Read(text) is var number && double.IsNaN(number) ? null : number;
        string[] names = part.Component switch
        {
            'P' => ["am", "pm"],
            'F' => DateWriter.Weekdays,
            _ => DateWriter.Months,
        };
        int length = part.Component == 'P' ? int.MaxValue : part.WidthMax ?? int.MaxValue;
        int at = Array.FindIndex(names, n => n[..Math.Min(n.Length, length)].Equals(text, StringComparison.OrdinalIgnoreCase));
        return at < 0 ? null : part.Component == 'P' ? at : at + 1;
    }

    private static double Offset(DatePart part, string text)
    {
        if (part.Component == 'z')
            text = text[3..];
        if (text is "Z" or "z")
            return 0;
        int sign = text[0] == '-' ? -1 : 1;
        string digits = text[1..];
        int split = part.Number?.Separator is { } separator
            ? digits.IndexOf(separator, StringComparison.Ordinal)
            : Math.Min(2, digits.Length);
        string minutes = string.Concat(digits[split..].Where(char.IsAsciiDigit));
        double hours = double.Parse(digits[..split], CultureInfo.InvariantCulture);
        return sign * (hours * 60 + (minutes.Length == 0 ? 0 : double.Parse(minutes, CultureInfo.InvariantCulture)));
    }

    private static double Instant(Dictionary<char, double> values, in CivilDate now)
    {
        bool byDayOfYear = !IsOnlyOf("YMD", "YXMxWwdD", values) && IsOnlyOf("Yd", "YXMxWwdD", values);
        if (IsOnlyOf("XxwF", "YXMxWwdD", values) || IsOnlyOf("XWF", "YXMxWwdD", values))
            throw Errors.Of("D3136");
        bool isTwelveHours = !IsOnlyOf(Times24, "PHhmsf", values) && IsOnlyOf(Times12, "PHhmsf", values);
        Complete((byDayOfYear ? "Yd" : "YMD") + (isTwelveHours ? Times12 : Times24), values, now);

        double year = values['Y'] is >= 0 and <= 99 ? 1900 + values['Y'] : values['Y'];
        double month = byDayOfYear ? 1 : Math.Max(values['M'], 1);
        double day = byDayOfYear ? values['d'] : values['D'];
        double hour = isTwelveHours ? values['h'] % 12 + 12 * values['P'] : values['H'];
        if (Math.Abs(year) > 300_000 || month > 1e6 || day > 1e9)
            throw Errors.OutOfRange(year);
        double millis = CivilDate.DaysTo((long)year, (long)month, (long)day) * (double)CivilDate.DayMillisCount
            + hour * 3_600_000 + values['m'] * 60_000 + values['s'] * 1_000 + Math.Truncate(values['f']);
        double offset = values.TryGetValue('Z', out double zone) || values.TryGetValue('z', out zone) ? zone : 0;
        millis -= offset * 60_000;
        return CivilDate.Holds(millis) ? millis : throw Errors.OutOfRange(millis);
    }

    /// <summary>Some of these components are given, and none of the others of the same kind.</summary>
    private static bool IsOnlyOf(string components, string kind, Dictionary<char, double> values)
    {
        bool HasAny(IEnumerable<char> names) => names.Any(values.ContainsKey);
        return HasAny(components) && !HasAny(kind.Except(components));
    }

    /// <summary>What is missing before the first component is taken from today, what is missing behind the last one is
    /// the least possible; nothing may be missing between.</summary>
    private static void Complete(string components, Dictionary<char, double> values, in CivilDate now)
    {
        bool hasStarted = false;
        bool hasEnded = false;
        foreach (char component in components)
        {
            if (values.ContainsKey(component))
            {
                if (hasEnded)
                    throw Errors.Of("D3136");
                hasStarted = true;
            }
            else if (hasStarted)
            {
                values[component] = component is 'M' or 'D' or 'd' ? 1 : 0;
                hasEnded = true;
            }
            else
                values[component] = component == 'P' ? 0 : DateWriter.Number(component, now);
        }
    }
}
