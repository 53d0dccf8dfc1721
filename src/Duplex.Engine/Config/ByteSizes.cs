using System.Globalization;

namespace Duplex.Engine.Config;

/// <summary>The text form of sizes in configuration: a whole number and one of <c>B kB MB GB TB</c>, by powers of
/// 1024.</summary>
public static class ByteSizes
{
    private static readonly (string Unit, int Shift)[] Units =
        [("kB", 10), ("MB", 20), ("GB", 30), ("TB", 40), ("B", 0)];

    /// <summary>Reads <c>512MB</c>, <c>8 GB</c>, <c>4096</c>; false for anything else and for more than 2^62
    /// bytes.</summary>
    public static bool TryParse(string? text, out long bytes)
    {
        bytes = 0;
        if (string.IsNullOrWhiteSpace(text))
        {
            return false;
        }

        var number = text.AsSpan().Trim();
        var shift = 0;
        foreach (var (unit, by) in Units)
        {
            if (number.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
            {
                number = number[..^unit.Length].TrimEnd();
                shift = by;
                break;
            }
        }

        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || count > (1L << 62) >> shift)
        {
            return false;
        }

        bytes = count << shift;
        return true;
    }
}
