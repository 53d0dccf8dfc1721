using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Duplex.Sdk;

/// <summary>
/// Identifies a record in its stream. The canonical form is a JSON array of the key fields' text forms, in the order
/// that the stream declares, without white space: <c>["6"]</c>, <c>["cus_1"]</c>, <c>["eu","42"]</c>. Elements are
/// always JSON strings, so that <c>6</c> typed by a person and <c>6</c> sent by a database are the same key.
/// </summary>
public readonly struct RecordKey : IEquatable<RecordKey>
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What stands in a JSON string as it is.</summary>
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private readonly string? _json;

    private RecordKey(string json) => _json = json;

    /// <summary>The canonical JSON array. The empty string for the default value, which identifies nothing.</summary>
    public string Json => _json ?? "";

    /// <summary>True for the default value: the key of a truncate, or of a record that does not exist yet.</summary>
    public bool IsEmpty => string.IsNullOrEmpty(_json);

    /// <summary>Builds a key from the text forms of its fields, in the stream's key order.</summary>
    public static RecordKey Of(params ReadOnlySpan<string> parts)
    {
        if (parts is [var only] && !only.AsSpan().ContainsAnyExcept(Plain))
        {
            return new RecordKey($"[\"{only}\"]");
        }

        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Compact))
        {
            writer.WriteStartArray();
            foreach (var part in parts)
            {
                writer.WriteStringValue(part);
            }

            writer.WriteEndArray();
        }

        return new RecordKey(Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
    }

    /// <summary>Takes canonical UTF-8, as a change log stores it. The bytes are trusted.</summary>
    public static RecordKey FromUtf8(ReadOnlySpan<byte> canonical) => new(Encoding.UTF8.GetString(canonical));

    /// <summary>Takes the canonical text, as a state store keeps it. The text is trusted.</summary>
    public static RecordKey FromJson(string canonical) => new(canonical);

    /// <summary>
    /// Reads what a person types: a JSON array for composite keys, anything else as the single part of a key.
    /// </summary>
    public static RecordKey Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.StartsWith('['))
        {
            return Of(text);
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            return Of([.. document.RootElement.EnumerateArray().Select(static e =>
                e.ValueKind == JsonValueKind.String ? e.GetString()! : e.GetRawText())]);
        }
        catch (JsonException)
        {
            return Of(text);
        }
    }

    /// <summary>The text forms of the key's fields, in order.</summary>
    public string[] Parts()
    {
        if (IsEmpty)
        {
            return [];
        }

        using var document = JsonDocument.Parse(Json);
        return [.. document.RootElement.EnumerateArray().Select(static e => e.GetString()!)];
    }

    /// <summary>The form for people: the bare value of a single-field key, the JSON array of a composite one.</summary>
    public override string ToString()
    {
        var parts = Parts();
        return parts.Length == 1 ? parts[0] : Json;
    }

    /// <inheritdoc/>
    public bool Equals(RecordKey other) => string.Equals(Json, other.Json, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is RecordKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(Json, StringComparison.Ordinal);

    /// <summary>Ordinal equality of the canonical forms.</summary>
    public static bool operator ==(RecordKey left, RecordKey right) => left.Equals(right);

    /// <summary>Ordinal inequality of the canonical forms.</summary>
    public static bool operator !=(RecordKey left, RecordKey right) => !left.Equals(right);
}
