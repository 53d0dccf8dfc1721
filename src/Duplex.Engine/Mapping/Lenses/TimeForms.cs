using System.Globalization;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Lenses;

/// <summary>One way to write a point in time. Ticks are of 100 ns since year 1, UTC.</summary>
internal abstract class TimeForm
{
    /// <summary>The kind of field that holds it.</summary>
    public abstract FieldKind Kind { get; }

    /// <summary>The smallest step that it can write.</summary>
    public abstract long Resolution { get; }

    /// <summary>Whether different points in time may be written alike though the step tells them apart (the hour that
    /// repeats in autumn), or one point in several ways.</summary>
    public virtual bool Blurs => false;

    /// <summary>Reads a value; null with the reason.</summary>
    public abstract long? Read(JsonElement value, out string? problem);

    /// <summary>Writes a point in time.</summary>
    public abstract LensResult Write(long ticks);

    /// <summary>Text of date and time with as many decimals as needed.</summary>
    protected static string Format(DateTime time, string tail)
    {
        var fraction = time.Ticks % TimeSpan.TicksPerSecond;
        return fraction == 0
            ? $"{time.Year:D4}-{time.Month:D2}-{time.Day:D2}T{time.Hour:D2}:{time.Minute:D2}:{time.Second:D2}{tail}"
            : time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + tail;
    }
}

/// <summary>Whole seconds or milliseconds since 1970.</summary>
internal sealed class UnixForm(long unit, FieldKind kind) : TimeForm
{
    public override FieldKind Kind => kind;

    public override long Resolution => unit;

    public override long? Read(JsonElement value, out string? problem)
    {
        problem = "The value is not a whole number of a time between the years 1 and 9999.";
        if (value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String)
            || !ValueEquality.TryNumber(value, out var number)
            || !number.IsWhole || number.ToText() is not { } text
            || !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var units)
            || units > DateTime.MaxValue.Ticks / unit || units < -DateTime.UnixEpoch.Ticks / unit)
        {
            return null;
        }

        var ticks = DateTime.UnixEpoch.Ticks + (units * unit);
        if (ticks > DateTime.MaxValue.Ticks)
        {
            return null;
        }

        problem = null;
        return ticks;
    }

    public override LensResult Write(long ticks) =>
        JsonText.Number((long)Math.Floor((decimal)(ticks - DateTime.UnixEpoch.Ticks) / unit));
}

/// <summary>Text with an offset, written in UTC: <c>2026-01-31T12:00:00Z</c>. Text without one is taken in the
/// zone.</summary>
internal sealed class InstantForm(ZoneClock? zone, FieldKind kind) : TimeForm
{
    public override FieldKind Kind => kind;

    public override long Resolution => 1;

    public override bool Blurs => kind is not FieldKind.Timestamp;

    public override long? Read(JsonElement value, out string? problem)
    {
        problem = "The value is not a date and time with an offset.";
        if (!JsonText.TryText(value, out var text) || !TimeText.TryParse(text, out var time))
        {
            return null;
        }

        if (time.Offset is null && zone is null)
        {
            return null;
        }

        problem = null;
        return time.Offset is null ? zone!.ToUtc(time, out problem) : time.UtcTicks;
    }

    public override LensResult Write(long ticks) => JsonText.String(Format(new DateTime(ticks), "Z"));
}

/// <summary>Text without offset, in a zone: <c>2026-01-31T12:00:00</c>.</summary>
internal sealed class LocalForm(ZoneClock zone) : TimeForm
{
    public override FieldKind Kind => FieldKind.LocalTimestamp;

    public override long Resolution => 1;

    public override bool Blurs => zone.Repeats;

    public override long? Read(JsonElement value, out string? problem)
    {
        problem = "The value is not a date and time.";
        return JsonText.TryText(value, out var text) && TimeText.TryParse(text, out var time)
            ? zone.ToUtc(time, out problem) : null;
    }

    public override LensResult Write(long ticks) => zone.ToLocal(ticks) is { } local
        ? JsonText.String(Format(local, "")) : LensResult.Failed("The time is outside of the years 1 to 9999.");
}

/// <summary>A calendar date in a zone; as a point in time it is its first moment there.</summary>
internal sealed class DateForm(ZoneClock zone) : TimeForm
{
    public override FieldKind Kind => FieldKind.Date;

    public override long Resolution => TimeSpan.TicksPerDay;

    public override long? Read(JsonElement value, out string? problem)
    {
        problem = "The value is not a date.";
        return JsonText.TryText(value, out var text) && TimeText.TryParse(text, out var time) && time.DateOnly
            ? zone.ToUtc(time, out problem) : null;
    }

    public override LensResult Write(long ticks) => zone.ToLocal(ticks) is { } local
        ? JsonText.String(local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))
        : LensResult.Failed("The time is outside of the years 1 to 9999.");
}

/// <summary>Text by a pattern of .NET, such as <c>dd.MM.yyyy HH:mm</c>, in a zone.</summary>
internal sealed class PatternForm(string pattern, ZoneClock zone) : TimeForm
{
    public override FieldKind Kind => FieldKind.Text;

    public override long Resolution { get; } =
        pattern.Contains('f') || pattern.Contains('F') ? 1
        : pattern.Contains('s') ? TimeSpan.TicksPerSecond
        : pattern.Contains('m') ? TimeSpan.TicksPerMinute
        : pattern.Contains('H') || pattern.Contains('h') ? TimeSpan.TicksPerHour : TimeSpan.TicksPerDay;

    public override bool Blurs => true;

    public override long? Read(JsonElement value, out string? problem)
    {
        problem = "The value does not have the form of the rule's pattern.";
        return JsonText.TryText(value, out var text)
            && DateTime.TryParseExact(text, pattern, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)
            ? zone.ToUtc(new TimeText(local, null, Resolution == TimeSpan.TicksPerDay), out problem) : null;
    }

    public override LensResult Write(long ticks) => zone.ToLocal(ticks) is { } local
        ? JsonText.String(local.ToString(pattern, CultureInfo.InvariantCulture))
        : LensResult.Failed("The time is outside of the years 1 to 9999.");
}

/// <summary>The clock of a time zone.</summary>
internal sealed class ZoneClock(TimeZoneInfo zone)
{
    /// <summary>UTC's.</summary>
    public static readonly ZoneClock Utc = new(TimeZoneInfo.Utc);

    /// <summary>Whether an hour may come twice.</summary>
    public bool Repeats => zone.GetAdjustmentRules().Length > 0;

    /// <summary>
    /// The point in time of what the clock shows. An hour that comes twice is taken as its first. A time that the clock
    /// skips has none; for a date, whose midnight may be skipped, it is the first moment after.
    /// </summary>
    public long? ToUtc(TimeText time, out string? problem)
    {
        problem = null;
        if (time.Offset is not null)
        {
            return time.UtcTicks;
        }

        var local = DateTime.SpecifyKind(time.Local, DateTimeKind.Unspecified);
        while (zone.IsInvalidTime(local))
        {
            if (!time.DateOnly)
            {
                problem = "The clocks of the zone skip the time.";
                return null;
            }

            local = local.AddMinutes(15);
        }

        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        var ticks = local.Ticks - offset.Ticks;
        problem = ticks < 0 || ticks > DateTime.MaxValue.Ticks ? "The time is outside of the years 1 to 9999." : null;
        return problem is null ? ticks : null;
    }

    /// <summary>What the clock shows; null outside of the years 1 to 9999.</summary>
    public DateTime? ToLocal(long utcTicks)
    {
        var offset = zone.GetUtcOffset(new DateTime(utcTicks, DateTimeKind.Utc));
        var ticks = utcTicks + offset.Ticks;
        return ticks < 0 || ticks > DateTime.MaxValue.Ticks ? null : new DateTime(ticks);
    }
}
