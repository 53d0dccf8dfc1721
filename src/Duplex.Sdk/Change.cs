namespace Duplex.Sdk;

/// <summary>
/// One create, update, delete or read of one record, as the change log holds it. Parsed from the envelope by
/// <see cref="ChangeEnvelope.Parse"/>; images are slices of the entry's bytes.
/// </summary>
public sealed record Change
{
    /// <summary>What happened.</summary>
    public required ChangeOperation Operation { get; init; }

    /// <summary>The stream that the record belongs to, as the connection names it: <c>public.customers</c>,
    /// <c>customers</c>.</summary>
    public required string Stream { get; init; }

    /// <summary>The record's key after the change. Empty only for a truncate.</summary>
    public required RecordKey Key { get; init; }

    /// <summary>The key before the change, when the change gave the record another one; otherwise empty.</summary>
    public RecordKey PreviousKey { get; init; }

    /// <summary>
    /// The image before, or as much of it as the source tells: all fields (replica identity full), only the changed
    /// ones (Stripe's <c>previous_attributes</c>), only the key, or null.
    /// </summary>
    public Record? Before { get; init; }

    /// <summary>The image after. Null for deletes and truncates.</summary>
    public Record? After { get; init; }

    /// <summary>Fields that exist and kept their value but are not in <see cref="After"/> (unchanged TOAST). Never
    /// null.</summary>
    public IReadOnlyList<string> Unchanged { get; init; } = [];

    /// <summary>
    /// When the source says that it happened, microseconds since 1970 UTC; 0 when unknown. For <c>latest</c> and for
    /// the order of unordered streams; never the order of an ordered one.
    /// </summary>
    public long SourceMicros { get; init; }

    /// <summary>The source position as text, for timelines.</summary>
    public string Position { get; init; } = "";

    /// <summary>
    /// The provenance mark that the source found on the change: Stripe's <c>request.idempotency_key</c>, the PostgreSQL
    /// transaction's marker. Null when there is none. The engine decides whether it is one of ours.
    /// </summary>
    public string? Origin { get; init; }

    /// <summary>The record's version as its source counts it, or null when it counts none.</summary>
    public string? Version { get; init; }

    /// <summary>Whether the source wrote <see cref="Version"/> as a JSON number, and not as text.</summary>
    public bool IsVersionNumber { get; init; }

    /// <summary>The key's fields by name, where the source tells them beside the images: an object. Null otherwise.</summary>
    public Record? KeyFields { get; init; }

    /// <summary>The source's own identifier of this delivery (Stripe's event id), or null.</summary>
    public string? Id { get; init; }
}
