namespace Duplex.Engine.Jsonata.Functions;

/// <summary>A date and time of day in the Gregorian calendar, of any year.</summary>
internal readonly record struct CivilDate(long Year, int Month, int Day, long DayMillis)
{
    public const long DayMillisCount = 86_400_000;

    /// <summary>What ECMAScript's dates can hold, to either side of 1970.</summary>
    private const double MillisMax = 8.64e15;

    private const long DaysPerEra = 146_097;
    private const long DaysFromEraStart = 719_468;

    public static bool Holds(double millis) => Math.Abs(millis) <= MillisMax;

    /// <summary>The days from 1970-01-01 to a day; months and days may lie outside of their ranges.</summary>
    public static long DaysTo(long year, long month, long day)
    {
        long months = year * 12 + month - 1;
        year = FloorDiv(months, 12);
        month = months - year * 12 + 1;
        // Years are counted from March, so that the leap day is the last one.
        long shifted = month <= 2 ? year - 1 : year;
        long era = FloorDiv(shifted, 400);
        long yearOfEra = shifted - era * 400;
        long dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
        long dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
        return era * DaysPerEra + dayOfEra - DaysFromEraStart + day - 1;
    }

    public static CivilDate Of(long millis)
    {
        long days = FloorDiv(millis, DayMillisCount);
        long shifted = days + DaysFromEraStart;
        long era = FloorDiv(shifted, DaysPerEra);
        long dayOfEra = shifted - era * DaysPerEra;
        long yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        long dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        long monthFromMarch = (5 * dayOfYear + 2) / 153;
        int day = (int)(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1);
        int month = (int)(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9);
        long year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
        return new(year, month, day, millis - days * DayMillisCount);
    }

    public static int DaysIn(long year, int month) => (int)(DaysTo(year, month + 1, 1) - DaysTo(year, month, 1));

    public int Hour => (int)(DayMillis / 3_600_000);

    public int Minute => (int)(DayMillis / 60_000 % 60);

    public int Second => (int)(DayMillis / 1_000 % 60);

    public int Millisecond => (int)(DayMillis % 1_000);

    public long Days => DaysTo(Year, Month, Day);

    public long DayOfYear => Days - DaysTo(Year, 1, 1) + 1;

    /// <summary>Monday is 1, Sunday 7.</summary>
    public int Weekday => WeekdayOf(Days);

    /// <summary>The week of the year that holds the day; week 1 is the one with the year's first Thursday.</summary>
    public (long Year, long Week) WeekOfYear
    {
        get
        {
            long year = Days < FirstWeek(Year, 1) ? Year - 1 : Days >= FirstWeek(Year + 1, 1) ? Year + 1 : Year;
            return (year, (Days - FirstWeek(year, 1)) / 7 + 1);
        }
    }

    /// <summary>The week of the month that holds the day, by the same rule.</summary>
    public (int Month, long Week) WeekOfMonth
    {
        get
        {
            int month = Days < FirstWeek(Year, Month) ? Month - 1 : Days >= FirstWeek(Year, Month + 1) ? Month + 1 : Month;
            return ((month + 11) % 12 + 1, (Days - FirstWeek(Year, month)) / 7 + 1);
        }
    }

    private static int WeekdayOf(long days) => (int)(days + 3 - FloorDiv(days + 3, 7) * 7) + 1;

    /// <summary>The Monday of the first week.</summary>
    private static long FirstWeek(long year, int month)
    {
        long first = DaysTo(year, month, 1);
        int weekday = WeekdayOf(first);
        return weekday > 4 ? first + 8 - weekday : first - weekday + 1;
    }

    private static long FloorDiv(long value, long divisor) =>
        value >= 0 ? value / divisor : (value + 1) / divisor - 1;
}
