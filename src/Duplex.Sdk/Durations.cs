using System.Globalization;

namespace Duplex.Sdk;

/// <summary>The text form of lengths of time in configuration: a whole number and one of <c>ms s m h d</c>.</summary>
public static class Durations
{
    private static readonly (string Unit, TimeSpan One)[] Units =
    [
        ("ms", TimeSpan.FromMilliseconds(1)),
        ("s", TimeSpan.FromSeconds(1)),
        ("m", TimeSpan.FromMinutes(1)),
        ("h", TimeSpan.FromHours(1)),
        ("d", TimeSpan.FromDays(1)),
    ];

    /// <summary>Reads <c>500ms</c>, <c>10s</c>, <c>5m</c>, <c>2h</c>, <c>7d</c>; false for anything else.</summary>
    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        foreach (var (unit, one) in Units)
        {
            if (text is not null && text.EndsWith(unit, StringComparison.Ordinal)
                && int.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.None,
                    CultureInfo.InvariantCulture, out var n)
                && n <= TimeSpan.MaxValue.Ticks / one.Ticks)
            {
                value = n * one;
                return true;
            }
        }

        return false;
    }

    /// <summary>The shortest whole form: <c>90s</c>, <c>2h</c>.</summary>
    public static string Format(TimeSpan value)
    {
        for (var i = Units.Length - 1; i > 0; i--)
        {
            if (value.Ticks != 0 && value.Ticks % Units[i].One.Ticks == 0)
            {
                return $"{value.Ticks / Units[i].One.Ticks}{Units[i].Unit}";
            }
        }

        return $"{value.Ticks / Units[0].One.Ticks}ms";
    }
}
