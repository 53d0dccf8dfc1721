using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Duplex.Engine.Mapping;
using Duplex.Sdk;

namespace Duplex.Engine.Ingest;

/// <summary>
/// Makes the record's key of what an event has as <c>primary_key</c>: the text forms of its values. A string stands for
/// itself; a whole number for its digits, however it is written (<c>1</c>, <c>1.0</c> and <c>1e0</c> are one record, and
/// so is <c>"1"</c>, because keys compare as text); another number for its shortest decimal form; <c>true</c> and
/// <c>false</c> for their names. The order is that of the schema's key members; without any, that of the members' names.
/// </summary>
internal static class PostedKey
{
    private const int BytesMax = 4_096;

    /// <summary>What stands alike in a posted JSON string and in a canonical key.</summary>
    private static readonly SearchValues<byte> Plain = SearchValues.Create(
        " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>Writes the canonical key. What is wrong with it, or null.</summary>
    public static string? Write(JsonElement key, IReadOnlyList<string> fields, IBufferWriter<byte> output)
    {
        if (key.ValueKind is JsonValueKind.String or JsonValueKind.Number)
        {
            return WriteParts([key], output);
        }

        if (key.ValueKind != JsonValueKind.Object)
        {
            return "primary_key must be an object with the values that identify the record";
        }

        if (fields.Count == 1)
        {
            return key.TryGetProperty(fields[0], out var only)
                ? WriteParts([only], output)
                : Missing(fields[0]);
        }

        var parts = new List<JsonElement>();
        foreach (var field in fields)
        {
            if (!key.TryGetProperty(field, out var value))
            {
                return Missing(field);
            }

            parts.Add(value);
        }

        if (fields.Count == 0)
        {
            parts.AddRange(key.EnumerateObject().OrderBy(static p => p.Name, StringComparer.Ordinal)
                .Select(static p => p.Value));
        }

        return parts.Count == 0
            ? "primary_key has no member"
            : WriteParts(CollectionsMarshal.AsSpan(parts), output);
    }

    private static string Missing(string field) => $"primary_key has no member {field}";

    private static string? WriteParts(ReadOnlySpan<JsonElement> parts, IBufferWriter<byte> output)
    {
        var size = 2;
        var plain = true;
        foreach (var part in parts)
        {
            if (part.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True
                or JsonValueKind.False))
            {
                return "primary_key may hold strings, numbers, true and false";
            }

            var raw = JsonMarshal.GetRawUtf8Value(part);
            size += raw.Length + 3;
            plain &= part.ValueKind switch
            {
                JsonValueKind.String => !raw[1..^1].ContainsAnyExcept(Plain),
                JsonValueKind.Number => !raw.ContainsAnyExceptInRange((byte)'0', (byte)'9'),
                _ => true,
            };
        }

        if (size > BytesMax)
        {
            return $"primary_key has more than {BytesMax} bytes";
        }

        if (!plain)
        {
            return WriteTexts(parts, output);
        }

        var span = output.GetSpan(size);
        var at = 0;
        foreach (var part in parts)
        {
            span[at] = at == 0 ? (byte)'[' : (byte)',';
            span[at + 1] = (byte)'"';
            var raw = JsonMarshal.GetRawUtf8Value(part);
            raw = part.ValueKind == JsonValueKind.String ? raw[1..^1] : raw;
            raw.CopyTo(span[(at + 2)..]);
            at += raw.Length + 2;
            span[at++] = (byte)'"';
        }

        span[at++] = (byte)']';
        output.Advance(at);
        return null;
    }

    private static string? WriteTexts(ReadOnlySpan<JsonElement> parts, IBufferWriter<byte> output)
    {
        var texts = new string[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (Text(parts[i]) is not { } text)
            {
                return "primary_key holds a number that is too large or too fine to identify a record";
            }

            texts[i] = text;
        }

        output.Write(Encoding.UTF8.GetBytes(RecordKey.Of(texts).Json));
        return null;
    }

    private static string? Text(JsonElement part) => part.ValueKind switch
    {
        JsonValueKind.String => part.GetString(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => ExactDecimal.TryParse(JsonMarshal.GetRawUtf8Value(part), out var number)
            && number.ToText() is { Length: <= BytesMax } text ? text : null,
    };
}
