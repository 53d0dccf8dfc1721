namespace Duplex.Sdk;

/// <summary>The kinds of value that a mapping tells apart; what JSON form each takes is said by
/// <see cref="Record"/>.</summary>
public enum FieldKind
{
    /// <summary>Anything: the connector does not know or the field is free-form.</summary>
    Any,
    /// <summary>Text.</summary>
    Text,
    /// <summary>Whole numbers, any size.</summary>
    Integer,
    /// <summary>Decimal numbers with all their digits; <c>"NaN"</c> and <c>"Infinity"</c> as strings.</summary>
    Number,
    /// <summary>True or false.</summary>
    Boolean,
    /// <summary>A calendar date, <c>2026-01-31</c>.</summary>
    Date,
    /// <summary>A date and time without zone, in the source's text form.</summary>
    LocalTimestamp,
    /// <summary>A point in time with zone or offset, in the source's text form.</summary>
    Timestamp,
    /// <summary>A point in time as whole seconds since 1970 UTC.</summary>
    UnixSeconds,
    /// <summary>A nested object; its fields are in <see cref="FieldSchema.Fields"/> if they are known.</summary>
    Object,
    /// <summary>An object with free names and text values (Stripe's <c>metadata</c>).</summary>
    TextMap,
    /// <summary>A list.</summary>
    List,
}

/// <summary>One field of a stream.</summary>
/// <param name="Name">The member's name in the record's JSON.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Nullable">Whether null is a value of it.</param>
/// <param name="Writable">Whether a sink accepts it; ids, generated columns and computed members are not
/// writable.</param>
/// <param name="Required">Whether a create fails without it (no default).</param>
/// <param name="Values">The allowed values of an enum; null when there is no such list.</param>
/// <param name="Fields">The nested fields of an <see cref="FieldKind.Object"/>; null when they are not known.</param>
/// <param name="LengthMax">The longest text in characters; null when there is no limit.</param>
/// <param name="Native">The source's own type name (<c>numeric(12,2)</c>, <c>citext</c>); null if it has none.</param>
/// <param name="CreateOnly">Whether it can be set by a create and by nothing later (a price's amount).</param>
public sealed record FieldSchema(
    string Name,
    FieldKind Kind,
    bool Nullable = true,
    bool Writable = true,
    bool Required = false,
    IReadOnlyList<string>? Values = null,
    IReadOnlyList<FieldSchema>? Fields = null,
    int? LengthMax = null,
    string? Native = null,
    bool CreateOnly = false);

/// <summary>The fields of a stream, as the connector finds or knows them.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Key">The key fields, in the order in which <see cref="RecordKey"/> holds them.</param>
/// <param name="Fields">Every field. Names are case-sensitive.</param>
/// <param name="Open">True when records may hold fields that are not listed.</param>
public sealed record StreamSchema(
    string Stream,
    IReadOnlyList<string> Key,
    IReadOnlyList<FieldSchema> Fields,
    bool Open = false);
