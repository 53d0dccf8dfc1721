using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Ingest;

/// <summary>
/// Rewrites an event that is spelled otherwise, or is Debezium's envelope, into the form that schemas describe:
/// <c>event_type</c> in upper case, <c>table</c>, <c>primary_key</c>, <c>before</c>, <c>after</c>. Values are copied as
/// they are. Only the check sees it.
/// </summary>
internal static class CanonicalForm
{
    private static readonly JsonWriterOptions Options = new() { SkipValidation = true };

    public static ReadOnlyMemory<byte> Of(in PostedEvent posted, ChangeOperation operation,
        IReadOnlyList<string> keyFields)
    {
        var output = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(output, Options))
        {
            writer.WriteStartObject();
            writer.WriteString("event_type"u8, Operations.Canonical(operation));
            if (posted.IsEnvelope)
            {
                WriteEnvelope(writer, posted, operation, keyFields);
            }
            else
            {
                foreach (var member in posted.Root.EnumerateObject())
                {
                    if (!member.NameEquals("event_type"u8))
                    {
                        writer.WritePropertyName(member.Name);
                        WriteRaw(writer, member.Value);
                    }
                }
            }

            writer.WriteEndObject();
        }

        return output.WrittenMemory;
    }

    private static void WriteEnvelope(
        Utf8JsonWriter writer, in PostedEvent posted, ChangeOperation operation, IReadOnlyList<string> keyFields)
    {
        Write(writer, "table"u8, posted.Table);
        Write(writer, "timestamp"u8, posted.Timestamp);
        if (posted.PrimaryKey.ValueKind != JsonValueKind.Undefined)
        {
            Write(writer, "primary_key"u8, posted.PrimaryKey);
        }
        else
        {
            WriteKey(writer, operation == ChangeOperation.Delete ? posted.Before : posted.After, keyFields);
        }

        // Debezium writes null for an image that is not there.
        Write(writer, "before"u8, posted.Before);
        Write(writer, "after"u8, posted.After);
        Write(writer, "version"u8, posted.Version);
    }

    /// <summary>Debezium sends the key beside the envelope; in the body it is in the row.</summary>
    private static void WriteKey(Utf8JsonWriter writer, JsonElement row, IReadOnlyList<string> keyFields)
    {
        if (row.ValueKind != JsonValueKind.Object || keyFields.Count == 0)
        {
            return;
        }

        writer.WriteStartObject("primary_key"u8);
        foreach (var field in keyFields)
        {
            if (row.TryGetProperty(field, out var value))
            {
                writer.WritePropertyName(field);
                WriteRaw(writer, value);
            }
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name, JsonElement value)
    {
        if (value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
        {
            writer.WritePropertyName(name);
            WriteRaw(writer, value);
        }
    }

    private static void WriteRaw(Utf8JsonWriter writer, JsonElement value) =>
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
}
