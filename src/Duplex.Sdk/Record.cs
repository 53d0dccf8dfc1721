using System.Text;
using System.Text.Json;

namespace Duplex.Sdk;

/// <summary>
/// One row or object as a UTF-8 JSON object. A value that JSON carries exactly is native (whole numbers and decimals
/// with all their digits, booleans, null, nested objects and arrays); every other value is a JSON string holding the
/// source's own lossless text form: <c>"NaN"</c>, <c>"infinity"</c>, <c>"2026-01-31 12:00:00+00"</c>,
/// <c>"\\xdeadbeef"</c>, <c>"[1,5)"</c>. Numbers are never passed through a double. A member that is absent is a field
/// that the record does not have; a field that exists but is not told by this change is named in
/// <see cref="Change.Unchanged"/>.
/// </summary>
public sealed class Record
{
    private JsonElement _root;

    /// <summary>Wraps UTF-8 JSON. The memory must stay as it is for the life of the record; it is parsed on first
    /// use.</summary>
    public Record(ReadOnlyMemory<byte> utf8) => Utf8 = utf8;

    /// <summary>The JSON object's bytes.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>The parsed object. Never disposed, safe to keep.</summary>
    /// <exception cref="JsonException">The bytes are not one JSON value.</exception>
    public JsonElement Root
    {
        get
        {
            if (_root.ValueKind == JsonValueKind.Undefined)
            {
                _root = JsonElement.Parse(Utf8.Span);
            }

            return _root;
        }
    }

    /// <summary>Makes a record from JSON text, for tests and small inputs.</summary>
    public static Record FromJson(string json) => new(Encoding.UTF8.GetBytes(json));

    /// <summary>The JSON text.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Utf8.Span);
}
