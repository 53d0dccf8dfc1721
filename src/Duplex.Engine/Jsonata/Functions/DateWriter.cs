using System.Globalization;
using System.Text;
using Duplex.Engine.Jsonata.Evaluation;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary>Writes instants by a picture.</summary>
internal static class DateWriter
{
    public static readonly string[] Months =
    [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ];

    public static readonly string[] Weekdays =
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

    public static string Write(double millis, DatePicture picture, string? zone, EvaluationRun run)
    {
        int offset = zone is null ? 0 : OffsetMinutes(zone);
        double local = Math.Floor(millis) + offset * 60_000.0;
        if (!CivilDate.Holds(local))
            throw Errors.OutOfRange(millis);
        var date = CivilDate.Of((long)local);
        var result = new StringBuilder();
        foreach (var part in picture.Parts)
            result.Append(part.Literal ?? Component(part, date, offset, run));
        return result.ToString();
    }

    /// <summary>The value of a component that is a number.</summary>
    public static long Number(char component, in CivilDate date) => component switch
    {
        'Y' => date.Year,
        'M' => date.Month,
        'D' => date.Day,
        'd' => date.DayOfYear,
        'F' => date.Weekday,
        'W' => date.WeekOfYear.Week,
        'X' => date.WeekOfYear.Year,
        'w' => date.WeekOfMonth.Week,
        'x' => date.WeekOfMonth.Month,
        'H' => date.Hour,
        'h' => date.Hour % 12 == 0 ? 12 : date.Hour % 12,
        'P' => date.Hour >= 12 ? 1 : 0,
        'm' => date.Minute,
        's' => date.Second,
        'f' => date.Millisecond,
        _ => 0,
    };

    private static string Component(DatePart part, in CivilDate date, int offset, EvaluationRun run)
    {
        long value = Number(part.Component, date);
        switch (part.Component)
        {
            case 'C' or 'E':
                return "ISO";
            case 'P':
                string half = value == 1 ? "pm" : "am";
                return part.Name == LetterCase.Upper ? half.ToUpperInvariant() : half;
            case 'Z' or 'z':
                return Zone(part, offset, run);
        }
        if (part.Name is { } letters)
            return Name(part, value, letters);
        if (part.YearDigits is { } digits && digits < 18)
            value %= (long)Math.Pow(10, digits);
        return part.Number!.Format(value, run);
    }

    private static string Name(DatePart part, long value, LetterCase letters)
    {
        string name = part.Component switch
        {
            'M' or 'x' => Months[value - 1],
            'F' => Weekdays[value - 1],
            _ => throw Errors.Of("D3133", part.Component.ToString()),
        };
        if (letters != LetterCase.Title)
            name = letters == LetterCase.Upper ? name.ToUpperInvariant() : name.ToLowerInvariant();
        return part.WidthMax < name.Length ? name[..part.WidthMax.Value] : name;
    }

    private static string Zone(DatePart part, int offset, EvaluationRun run)
    {
        if (offset == 0 && part.ShowsZulu)
            return "Z";
        var picture = part.Number ?? throw Errors.Of("D3133", part.Component.ToString());
        int hours = Math.Abs(offset) / 60;
        int minutes = Math.Abs(offset) % 60;
        if (!picture.IsRegular && picture.MandatoryDigits > 4)
            throw Errors.Of("D3134");
        bool isShort = !picture.IsRegular && picture.MandatoryDigits <= 2;
        string text = picture.Format(isShort ? hours : hours * 100 + minutes, run);
        if (isShort && minutes != 0)
            text += minutes.ToString("':'00", CultureInfo.InvariantCulture);
        return (part.Component == 'z' ? "GMT" : "") + (offset < 0 ? "-" : "+") + text;
    }

    /// <summary>Minutes east of UTC of <c>±hhmm</c>, <c>±hh:mm</c> or <c>Z</c>.</summary>
    private static int OffsetMinutes(string zone)
    {
        if (zone is "Z" or "z" or "")
            return 0;
        string digits = zone.Replace(":", "", StringComparison.Ordinal);
        if (digits.Length > 6 || !int.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture,
                out int offset))
            throw Errors.Of("D3110", zone.Length > 100 ? zone[..100] : zone);
        return offset / 100 * 60 + offset % 100;
    }
}
