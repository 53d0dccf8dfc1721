using System.Globalization;
using System.Text.Json;

namespace Duplex.Engine.Ingest;

/// <summary>Reads when an event says that it happened. What cannot be read counts as unknown: schemas decide what is
/// refused.</summary>
internal static class PostedTime
{
    private const long MicrosPerSecond = 1_000_000;
    private const long MicrosPerMilli = 1_000;
    private const long MillisFrom = 100_000_000_000;
    private const long MicrosFrom = 100_000_000_000_000;
    private const long NanosFrom = 100_000_000_000_000_000;

    /// <summary>Microseconds since 1970 UTC; 0 when unknown. A text without a zone is UTC; a number is in the unit that
    /// makes it a time of this age.</summary>
    public static long Micros(JsonElement posted) => posted.ValueKind switch
    {
        JsonValueKind.String => OfText(posted),
        JsonValueKind.Number when posted.TryGetInt64(out var number) => OfNumber(number),
        _ => 0,
    };

    /// <summary>Microseconds of whichever of Debezium's three forms is there, the finest first; 0 when none is.</summary>
    public static long Micros(JsonElement micros, JsonElement nanos, JsonElement millis)
    {
        if (micros.ValueKind == JsonValueKind.Number && micros.TryGetInt64(out var exact))
        {
            return exact;
        }

        if (nanos.ValueKind == JsonValueKind.Number && nanos.TryGetInt64(out var fine))
        {
            return fine / 1_000;
        }

        return millis.ValueKind == JsonValueKind.Number && millis.TryGetInt64(out var coarse)
            && coarse is > long.MinValue / MicrosPerMilli and < long.MaxValue / MicrosPerMilli
            ? coarse * MicrosPerMilli : 0;
    }

    /// <summary>The same of a text outside a body.</summary>
    public static long Micros(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? Of(at.UtcDateTime) : 0;

    private static long OfText(JsonElement posted) => posted.TryGetDateTime(out var at)
        // Only what names an offset comes in local time.
        ? Of(at.Kind == DateTimeKind.Local ? at.ToUniversalTime() : at)
        : Micros(posted.GetString());

    private static long OfNumber(long number) => Math.Abs((double)number) switch
    {
        < MillisFrom => number * MicrosPerSecond,
        < MicrosFrom => number * MicrosPerMilli,
        < NanosFrom => number,
        _ => number / 1_000,
    };

    private static long Of(DateTime utc) => (utc.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
