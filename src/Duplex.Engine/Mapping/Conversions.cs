using Duplex.Engine.Mapping.Lenses;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>What stands between two fields of different kinds.</summary>
/// <param name="Lens">The conversion that is put in; null for none.</param>
/// <param name="Mismatch">Why the two cannot be paired as they are; null when they can.</param>
/// <param name="Suggestion">The lens that would help.</param>
/// <param name="Risk">Which values are refused on the way from B to A or from A to B; null for none.</param>
internal sealed record Conversion(Lens? Lens, string? Mismatch = null, string? Suggestion = null, string? Risk = null)
{
    /// <summary>Nothing in between.</summary>
    public static readonly Conversion None = new((Lens?)null);
}

/// <summary>Finds what stands between two kinds: nothing, a conversion that needs no choice, or a mismatch with the
/// lens that helps.</summary>
internal static class Conversions
{
    public static Conversion Between(FieldKind left, FieldKind right)
    {
        if (right == FieldKind.TextMap && left is FieldKind.Any or FieldKind.Object)
        {
            return new Conversion(new TextMapLens(left));
        }

        if (left == FieldKind.TextMap && right is FieldKind.Any or FieldKind.Object)
        {
            return new Conversion(new InverseLens(new TextMapLens(right), "text_map"));
        }

        if (left == right || left == FieldKind.Any || right == FieldKind.Any)
        {
            return Conversion.None;
        }

        return (left, right) switch
        {
            (FieldKind.Integer, FieldKind.Number) or (FieldKind.Number, FieldKind.Integer) =>
                new Conversion(null, Risk: "numbers with decimals are refused by the whole-number field"),
            (FieldKind.Integer, FieldKind.UnixSeconds) or (FieldKind.UnixSeconds, FieldKind.Integer) => Conversion.None,
            (FieldKind.Date or FieldKind.Timestamp or FieldKind.LocalTimestamp, FieldKind.Text)
                or (FieldKind.Text, FieldKind.Date or FieldKind.Timestamp or FieldKind.LocalTimestamp) =>
                new Conversion(null, Risk: "text that is no date or time is refused by the field that holds one"),
            (FieldKind.Integer or FieldKind.Number or FieldKind.Boolean or FieldKind.UnixSeconds, FieldKind.Text) =>
                new Conversion(new TextFormLens("text", left),
                    Risk: $"text that is no {Word(left)} is refused on the way back"),
            (FieldKind.Text, FieldKind.Integer or FieldKind.Number or FieldKind.Boolean or FieldKind.UnixSeconds) =>
                new Conversion(new InverseLens(new TextFormLens("text", right), "text"),
                    Risk: $"text that is no {Word(right)} is refused"),
            _ => new Conversion(null, $"A gives {Word(left)} and B takes {Word(right)}.", Help(left, right)),
        };
    }

    /// <summary>The kind's name for people.</summary>
    public static string Word(FieldKind kind) => kind switch
    {
        FieldKind.Any => "any value",
        FieldKind.Text => "text",
        FieldKind.Integer => "whole number",
        FieldKind.Number => "number",
        FieldKind.Boolean => "true or false",
        FieldKind.Date => "date",
        FieldKind.LocalTimestamp => "time without zone",
        FieldKind.Timestamp => "point in time",
        FieldKind.UnixSeconds => "unix time in seconds",
        FieldKind.Object => "object",
        FieldKind.TextMap => "map of texts",
        _ => "list",
    };

    private static string Help(FieldKind left, FieldKind right) => (left, right) switch
    {
        (FieldKind.Timestamp, FieldKind.UnixSeconds) => "Add via: unix_seconds.",
        (FieldKind.LocalTimestamp or FieldKind.Date, FieldKind.UnixSeconds) =>
            "Add via: { unix_seconds: { zone: Europe/Berlin } }.",
        (FieldKind.UnixSeconds or FieldKind.Integer, FieldKind.Timestamp or FieldKind.LocalTimestamp
            or FieldKind.Date) =>
            "Add via: from_unix_seconds, or from_unix_millis.",
        (FieldKind.Timestamp or FieldKind.LocalTimestamp, FieldKind.Integer) =>
            "Add via: unix_seconds, or unix_millis.",
        (FieldKind.Timestamp, FieldKind.Date) or (FieldKind.LocalTimestamp, FieldKind.Date) =>
            "Add via: { date: { zone: Europe/Berlin } }.",
        (_, FieldKind.Timestamp) when IsTime(left) => "Add via: { timestamp: { zone: Europe/Berlin } }.",
        (_, FieldKind.LocalTimestamp) when IsTime(left) => "Add via: { local_timestamp: { zone: Europe/Berlin } }.",
        (FieldKind.Object or FieldKind.List or FieldKind.TextMap, FieldKind.Text) =>
            "Add via: json, or map a member of it.",
        (FieldKind.Text, FieldKind.Object or FieldKind.List or FieldKind.TextMap) =>
            "Add via: from_json, or map to a member of it.",
        _ => "Pair it with a field of the same kind.",
    };

    private static bool IsTime(FieldKind kind) =>
        kind is FieldKind.Date or FieldKind.Timestamp or FieldKind.LocalTimestamp;
}
