using System.Globalization;

namespace Duplex.Engine.Ingest;

/// <summary>Why an event was not taken, by what its poster can do about it.</summary>
public enum IngestVerdict
{
    /// <summary>It is not an event: no JSON, no object, no table, or not as the table's schema wants it. Posting it
    /// again changes nothing.</summary>
    Invalid,

    /// <summary>It is larger than an event may be.</summary>
    TooLarge,

    /// <summary>Its body is compressed.</summary>
    Compressed,

    /// <summary>Its poster may not post for its tenant.</summary>
    Forbidden,

    /// <summary>The key that names it was used for another body; it may be posted under a key of its own.</summary>
    KeyReused,

    /// <summary>Too much is on its way to the disk; the same event may be posted again at once.</summary>
    Busy,

    /// <summary>The change log has no room; the same event may be posted again later.</summary>
    NoRoom,

    /// <summary>The change log failed.</summary>
    Failed,
}

/// <summary>One event that was not taken; nothing of it is stored.</summary>
/// <param name="Verdict">What its poster can do about it.</param>
/// <param name="Code">The stable dotted code.</param>
/// <param name="Detail">What is wrong, for people. Never a path of the server.</param>
/// <param name="Field">The member at fault; null when it is not about one.</param>
public sealed record IngestRefusal(IngestVerdict Verdict, string Code, string Detail, string? Field = null)
{
    private const int DetailCharactersMax = 2_000;

    internal const string MalformedCode = "ingest.malformed";

    internal static IngestRefusal Malformed(string detail) => new(IngestVerdict.Invalid, MalformedCode, detail);

    internal static IngestRefusal NoObject { get; } =
        new(IngestVerdict.Invalid, "ingest.no_object", "The body must be a JSON object: one event.");

    internal static IngestRefusal Wrong(string detail, string field) =>
        new(IngestVerdict.Invalid, "ingest.invalid", detail, field);

    internal static IngestRefusal MissingTable { get; } =
        new(IngestVerdict.Invalid, "ingest.missing_table", "Missing table field", "table");

    internal static IngestRefusal UnknownTable(string table) => new(IngestVerdict.Invalid, "ingest.unknown_table",
        $"Schema validation failed: Schema file not found: internal/{TableName.Shown(table)}.json", "table");

    internal static IngestRefusal Breach(string message)
    {
        var detail = $"Schema validation failed: Validation failed: {message}";
        return new(IngestVerdict.Invalid, "ingest.schema",
            detail.Length <= DetailCharactersMax ? detail : $"{detail.AsSpan(0, DetailCharactersMax)}…");
    }

    /// <summary>An event that is larger than so many bytes.</summary>
    public static IngestRefusal TooLarge(long bytesMax) => new(IngestVerdict.TooLarge, "ingest.too_large",
        $"An event may have up to {bytesMax} bytes.");

    /// <summary>A body in a coding that is not undone.</summary>
    public static IngestRefusal Compressed(string coding) => new(IngestVerdict.Compressed, "ingest.compressed",
        $"The body is sent with Content-Encoding: {TableName.Shown(coding)}; only bodies that are not compressed are taken.",
        "Content-Encoding");

    /// <summary>Its key was used for another body. The index is that of the event that differs, in a list.</summary>
    internal static IngestRefusal KeyReused(int? index = null) => new(IngestVerdict.KeyReused, "ingest.key_reused",
        "The Idempotency-Key was used before with another body"
        + (index is null ? "." : string.Create(CultureInfo.InvariantCulture, $": event {index} differs.")), "Idempotency-Key");

    /// <summary>Too much is on its way to the disk.</summary>
    public static IngestRefusal Busy { get; } = new(IngestVerdict.Busy, "ingest.busy",
        "Too many events are on their way to the disk; post it again a little later.");
}
