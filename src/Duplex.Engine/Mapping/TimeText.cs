namespace Duplex.Engine.Mapping;

/// <summary>A point in time read from text.</summary>
/// <param name="Local">Date and time as written.</param>
/// <param name="Offset">The offset from UTC as written; null when none was.</param>
/// <param name="DateOnly">Whether only a date was written.</param>
internal readonly record struct TimeText(DateTime Local, TimeSpan? Offset, bool DateOnly)
{
    private const int FractionDigitsMax = 7;

    /// <summary>Ticks since year 1 in UTC; without offset as if in UTC.</summary>
    public long UtcTicks => Local.Ticks - (Offset?.Ticks ?? 0);

    /// <summary>
    /// Reads ISO 8601 and PostgreSQL's forms: <c>2026-01-31</c>, <c>2026-01-31T12:00:00.5Z</c>, <c>2026-01-31
    /// 12:00:00+05:30</c>, <c>…+02</c>. False for anything else, for years outside 1 to 9999, and for more than seven
    /// significant decimals.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeText value)
    {
        value = default;
        if (!TryDate(text, out var date))
        {
            return false;
        }

        var rest = text[10..];
        if (rest.IsEmpty)
        {
            value = new TimeText(date, null, true);
            return true;
        }

        if (rest[0] is not ('T' or 't' or ' ') || !TryTime(ref rest, out var time) || !TryOffset(rest, out var offset))
        {
            return false;
        }

        value = new TimeText(date, offset, false);
        if (date.Ticks + time > DateTime.MaxValue.Ticks)
        {
            return false;
        }

        value = value with { Local = date.AddTicks(time) };
        return value.UtcTicks >= 0 && value.UtcTicks <= DateTime.MaxValue.Ticks;
    }

    private static bool TryDate(ReadOnlySpan<char> text, out DateTime date)
    {
        date = default;
        if (text.Length < 10 || text[4] != '-' || text[7] != '-' || !TryTwo(text, 99, out var century)
            || !TryTwo(text[2..], 99, out var year)
            || !TryTwo(text[5..], 12, out var month) || !TryTwo(text[8..], 31, out var day))
        {
            return false;
        }

        year += century * 100;
        if (year == 0 || month == 0 || day == 0 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }

        date = new DateTime(year, month, day);
        return true;
    }

    private static bool TryTime(ref ReadOnlySpan<char> rest, out long ticks)
    {
        ticks = 0;
        if (rest.Length < 6 || rest[3] != ':' || !TryTwo(rest[1..], 24, out var hours)
            || !TryTwo(rest[4..], 59, out var minutes))
        {
            return false;
        }

        rest = rest[6..];
        var seconds = 0;
        if (rest is [':', _, _, ..])
        {
            if (!TryTwo(rest[1..], 60, out seconds))
            {
                return false;
            }

            rest = rest[3..];
        }

        ticks = (hours * TimeSpan.TicksPerHour) + (minutes * TimeSpan.TicksPerMinute)
            + (seconds * TimeSpan.TicksPerSecond);
        return (hours < 24 || ticks == TimeSpan.TicksPerDay)
            && (rest is not ['.', ..] || TryFraction(ref rest, ref ticks));
    }

    private static bool TryFraction(ref ReadOnlySpan<char> rest, ref long ticks)
    {
        var end = 1;
        while (end < rest.Length && char.IsAsciiDigit(rest[end]))
        {
            end++;
        }

        var digits = rest[1..end].TrimEnd('0');
        if (end == 1 || digits.Length > FractionDigitsMax)
        {
            return false;
        }

        var unit = TimeSpan.TicksPerSecond;
        foreach (var digit in digits)
        {
            unit /= 10;
            ticks += (digit - '0') * unit;
        }

        rest = rest[end..];
        return true;
    }

    private static bool TryOffset(ReadOnlySpan<char> rest, out TimeSpan? offset)
    {
        offset = null;
        if (rest.IsEmpty)
        {
            return true;
        }

        if (rest is "Z" or "z")
        {
            offset = TimeSpan.Zero;
            return true;
        }

        if (rest[0] is not ('+' or '-') || !TryTwo(rest[1..], 18, out var hours))
        {
            return false;
        }

        var minutes = 0;
        var tail = rest[3..];
        tail = tail is [':', ..] ? tail[1..] : tail;
        if (!tail.IsEmpty && (tail.Length != 2 || !TryTwo(tail, 59, out minutes)))
        {
            return false;
        }

        var amount = new TimeSpan(hours, minutes, 0);
        offset = rest[0] == '-' ? -amount : amount;
        return true;
    }

    private static bool TryTwo(ReadOnlySpan<char> text, int max, out int value)
    {
        value = 0;
        if (text.Length < 2 || !char.IsAsciiDigit(text[0]) || !char.IsAsciiDigit(text[1]))
        {
            return false;
        }

        value = ((text[0] - '0') * 10) + (text[1] - '0');
        return value <= max;
    }
}
