using System.Globalization;
using System.Text.RegularExpressions;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

internal static partial class DateFunctions
{
    private const long MinuteMillis = 60_000;

    public static Value Now(Value[] arguments, in CallSite site) =>
        Write(site.Run.NowMillis, arguments[0], arguments[1], site.Run);

    public static Value Millis(Value[] arguments, in CallSite site) => Value.Of((double)site.Run.NowMillis);

    public static Value FromMillis(Value[] arguments, in CallSite site) => arguments[0].IsUndefined
        ? arguments[0]
        : Write(arguments[0].Number, arguments[1], arguments[2], site.Run);

    public static Value ToMillis(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string text = arguments[0].Text;
        site.Run.Steps(text.Length);
        if (arguments[1].IsUndefined)
            return Value.Of(ReadIso(text) ?? throw Errors.Of("D3110", text.Length > 100 ? text[..100] : text));
        double? millis = DatePicture.Of(arguments[1].Text).Reader.Read(text, site.Run.NowMillis);
        return millis is { } instant ? Value.Of(instant) : Value.Undefined;
    }

    private static Value Write(double millis, in Value picture, in Value zone, EvaluationRun run)
    {
        run.Charge(200);
        string pattern = picture.IsUndefined ? DatePicture.Iso : picture.Text;
        return Value.Of(DateWriter.Write(millis, DatePicture.Of(pattern), zone.IsUndefined ? null : zone.Text, run));
    }

    /// <summary>Milliseconds since 1970. What is missing is the least possible; without an offset the time is
    /// UTC.</summary>
    private static double? ReadIso(string text)
    {
        var match = IsoPattern().Match(text);
        if (!match.Success)
            return null;
        int year = Number(match, "year", 0);
        int month = Number(match, "month", 1);
        int day = Number(match, "day", 1);
        int hour = Number(match, "hour", 0);
        int minute = Number(match, "minute", 0);
        int second = Number(match, "second", 0);
        bool isValid = month is >= 1 and <= 12 && day >= 1 && day <= CivilDate.DaysIn(year, month)
            && (hour < 24 || hour == 24 && minute == 0 && second == 0);
        if (!isValid || match.Groups["fraction"].Success && !match.Groups["hour"].Success)
            return null;
        string fraction = match.Groups["fraction"].Value;
        int millis = fraction.Length == 0 ? 0 : int.Parse(fraction.PadRight(3, '0').AsSpan(0, 3), CultureInfo.InvariantCulture);
        int offset = Number(match, "zoneHour", 0) * 60 + Number(match, "zoneMinute", 0);
        if (match.Groups["sign"].Value == "-")
            offset = -offset;
        return CivilDate.DaysTo(year, month, day) * (double)CivilDate.DayMillisCount
            + (hour * 60 + minute - offset) * MinuteMillis + second * 1_000 + millis;
    }

    private static int Number(Match match, string group, int otherwise) => match.Groups[group] is { Success: true } found
        ? int.Parse(found.ValueSpan, CultureInfo.InvariantCulture)
        : otherwise;

    [GeneratedRegex(@"^(?<year>[0-9]{4})(-(?<month>[01][0-9]))?(-(?<day>[0-3][0-9]))?"
        + @"(T(?<hour>[0-2][0-9]):(?<minute>[0-5][0-9]):(?<second>[0-5][0-9]))?(\.(?<fraction>[0-9]+))?"
        + @"((?<sign>[+-])(?<zoneHour>[0-2][0-9]):?(?<zoneMinute>[0-5][0-9])|Z)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex IsoPattern();
}
