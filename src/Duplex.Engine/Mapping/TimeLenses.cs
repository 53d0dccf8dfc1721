using System.Globalization;
using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping.Lenses;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>Makes the lenses of date and time. The forms at both ends follow from the kinds of the fields.</summary>
internal static class TimeLenses
{
    private const string ZoneExample = "For example { zone: Europe/Berlin }.";

    /// <summary>The makers by name.</summary>
    public static IEnumerable<KeyValuePair<string, Func<LensRequest, Lens?>>> Makers { get; } =
    [
        new("unix_seconds",
            static r => Make(r, static (_, k) => new UnixForm(TimeSpan.TicksPerSecond, Whole(k)), false)),
        new("unix_millis",
            static r => Make(r, static (_, k) => new UnixForm(TimeSpan.TicksPerMillisecond, Whole(k)), false)),
        new("from_unix_seconds",
            static r => Make(r, static (_, k) => new UnixForm(TimeSpan.TicksPerSecond, Whole(k)), true)),
        new("from_unix_millis",
            static r => Make(r, static (_, k) => new UnixForm(TimeSpan.TicksPerMillisecond, Whole(k)), true)),
        new("date", static r => Make(r, static (z, _) => new DateForm(z), false)),
        new("timestamp", static r =>
            Make(r, static (z, k) => new InstantForm(z, k == FieldKind.Text ? k : FieldKind.Timestamp), false)),
        new("local_timestamp", static r => Make(r, static (z, _) => new LocalForm(z), false)),
        new("time_format", static r => Pattern(r, inverse: false)),
        new("from_time_format", static r => Pattern(r, inverse: true)),
    ];

    private static FieldKind Whole(FieldKind kind) =>
        kind is FieldKind.UnixSeconds or FieldKind.Integer or FieldKind.Number ? kind : FieldKind.Integer;

    /// <summary>The lens from the natural form of one end's kind to the named form at the other end; exchanged when
    /// inverse.</summary>
    private static Lens? Make(LensRequest request, Func<ZoneClock, FieldKind, TimeForm> named, bool inverse)
    {
        if (!request.HasOnly("zone") || !TryZone(request, out var zone))
        {
            return null;
        }

        var (near, far) = inverse ? (Target(request), request.Left) : (request.Left, Target(request));
        if (Natural(request, near, zone) is not { } form)
        {
            return null;
        }

        var other = named(zone ?? ZoneClock.Utc, far);
        return inverse ? new TimeLens(request.Name, other, form) : new TimeLens(request.Name, form, other);
    }

    private static Lens? Pattern(LensRequest request, bool inverse)
    {
        const string example =
            "For example time_format: dd.MM.yyyy, or { pattern: \"yyyyMMdd HH:mm\", zone: Europe/Berlin }.";
        var given = request.Argument.ValueKind == JsonValueKind.Object ? request.Option("pattern") : request.Argument;
        if (!JsonText.TryText(given, out var pattern) || pattern.Length is 0 or > 64 || !IsPattern(pattern))
        {
            return request.Fail($"{request.Name} needs a pattern of day, month, year and time without offset.",
                example);
        }

        if (!request.HasOnly("pattern", "zone") || !TryZone(request, out var zone, pattern: true))
        {
            return null;
        }

        var text = new PatternForm(pattern, zone ?? ZoneClock.Utc);
        return Natural(request, inverse ? Target(request) : request.Left, zone) is not { } form ? null
            : inverse ? new TimeLens(request.Name, text, form) : new TimeLens(request.Name, form, text);
    }

    /// <summary>A pattern reads what it writes, to its own step.</summary>
    private static bool IsPattern(string pattern)
    {
        try
        {
            var time = new DateTime(2026, 11, 23, 17, 45, 56, 789);
            var text = time.ToString(pattern, CultureInfo.InvariantCulture);
            return pattern.Length > 1 && !pattern.Contains('z') && !pattern.Contains('K')
                && DateTime.TryParseExact(text, pattern, CultureInfo.InvariantCulture, DateTimeStyles.None,
                    out var back)
                && back.Date == time.Date;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static FieldKind Target(LensRequest request) => request.B.Paths.Count == 1 ? request.B.Kind : FieldKind.Any;

    private static TimeForm? Natural(LensRequest request, FieldKind kind, ZoneClock? zone)
    {
        switch (kind)
        {
            case FieldKind.Timestamp or FieldKind.Text or FieldKind.Any:
                return new InstantForm(zone, kind);
            case FieldKind.LocalTimestamp:
                if (zone is null)
                {
                    request.Warning =
                        ("the field has no zone and is taken as UTC.", $"Name the zone of the field. {ZoneExample}");
                }

                return new LocalForm(zone ?? ZoneClock.Utc);
            case FieldKind.Date:
                return new DateForm(zone ?? ZoneClock.Utc);
            case FieldKind.UnixSeconds:
                return new UnixForm(TimeSpan.TicksPerSecond, kind);
            default:
                request.Fail($"{request.Name} is for dates and times, and the field holds {Conversions.Word(kind)}.",
                    kind is FieldKind.Integer or FieldKind.Number
                        ? "Use from_unix_seconds or from_unix_millis." : "Use another lens.");
                return null;
        }
    }

    private static bool TryZone(LensRequest request, out ZoneClock? zone, bool pattern = false)
    {
        zone = null;
        var given = request.Argument.ValueKind == JsonValueKind.Object ? request.Option("zone") : pattern
            ? default : request.Argument;
        if (given.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return true;
        }

        if (JsonText.TryText(given, out var name) && name.Length is > 0 and <= 64
            && !name.Contains("..", StringComparison.Ordinal)
            && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var found))
        {
            zone = new ZoneClock(found);
            return true;
        }

        request.Fail($"{Section.Shown(name)} is not a time zone that this system knows.", ZoneExample);
        return false;
    }
}
