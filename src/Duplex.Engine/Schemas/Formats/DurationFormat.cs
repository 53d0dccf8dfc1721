namespace Duplex.Engine.Schemas.Formats;

/// <summary><c>duration</c> (RFC 3339, appendix A): units from large to small, none left out between two.</summary>
internal static class DurationFormat
{
    public static bool IsDuration(string text)
    {
        if (text.Length < 3 || text[0] != 'P')
            return false;
        if (text[^1] == 'W')
            return IsDigits(text.AsSpan(1, text.Length - 2));
        var split = text.IndexOf('T', StringComparison.Ordinal);
        var date = split < 0 ? text.AsSpan(1) : text.AsSpan(1, split - 1);
        var time = split < 0 ? default : text.AsSpan(split + 1);
        if (split >= 0 && time.IsEmpty)
            return false;
        return AreUnits(date, "YMD") && AreUnits(time, "HMS") && (!date.IsEmpty || !time.IsEmpty);
    }

    private static bool AreUnits(ReadOnlySpan<char> text, string units)
    {
        var next = -1;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0)
                return false;
            var unit = units.IndexOf(text[digits], StringComparison.Ordinal);
            if (unit < 0 || (next >= 0 && unit != next))
                return false;
            next = unit + 1;
            text = text[(digits + 1)..];
        }

        return true;
    }

    private static bool IsDigits(ReadOnlySpan<char> text) =>
        !text.IsEmpty && text.IndexOfAnyExceptInRange('0', '9') < 0;
}
