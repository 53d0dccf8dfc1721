using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Duplex.Sdk;

/// <summary>
/// The one form of a change on every log: Debezium's JSON envelope (<c>op</c>, <c>before</c>, <c>after</c>,
/// <c>source</c>, <c>ts_ms</c>) with six members more, which other readers ignore: <c>unchanged</c> (names of fields
/// that kept their value and are not told), <c>prev_key</c> (the key before a key change), <c>key_fields</c> (the
/// key by name), <c>origin</c> (provenance mark), <c>id</c> (delivery) and <c>version</c> (of the record, as its
/// source counts it: a text or a number).
/// <code>{"op":"u","before":{…},"after":{…},"unchanged":["bio"],"prev_key":["5"],"origin":"dx1:…","id":"evt_1",
///  "source":{"connector":"postgres","name":"shop","stream":"public.customers","pos":"1:0/16B3748:3","ts_us":1767225600000000},
///  "ts_ms":1767225600000}</code>
/// Members may come in any order; unknown ones are skipped.
/// </summary>
public static class ChangeEnvelope
{
    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>Debezium's letter for the operation.</summary>
    public static string Letter(ChangeOperation operation) => operation switch
    {
        ChangeOperation.Read => "r",
        ChangeOperation.Create => "c",
        ChangeOperation.Update => "u",
        ChangeOperation.Delete => "d",
        ChangeOperation.Truncate => "t",
        _ => throw new ArgumentOutOfRangeException(nameof(operation)),
    };

    /// <summary>Writes the envelope of a change. For sources that are not hot; a hot one writes the same bytes
    /// itself.</summary>
    public static void Write(IBufferWriter<byte> output, Change change, string connector, string connection)
    {
        ArgumentNullException.ThrowIfNull(change);
        using var writer = new Utf8JsonWriter(output, Options);
        writer.WriteStartObject();
        writer.WriteString("op"u8, Letter(change.Operation));
        WriteImage(writer, "before"u8, change.Before);
        WriteImage(writer, "after"u8, change.After);
        if (change.Unchanged.Count > 0)
        {
            writer.WriteStartArray("unchanged"u8);
            foreach (var name in change.Unchanged)
            {
                writer.WriteStringValue(name);
            }

            writer.WriteEndArray();
        }

        if (!change.PreviousKey.IsEmpty)
        {
            writer.WritePropertyName("prev_key"u8);
            writer.WriteRawValue(change.PreviousKey.Json, skipInputValidation: true);
        }

        if (change.KeyFields is { } fields)
        {
            writer.WritePropertyName("key_fields"u8);
            writer.WriteRawValue(fields.Utf8.Span, skipInputValidation: true);
        }

        if (change.Version is not null)
        {
            writer.WritePropertyName("version"u8);
            if (change.IsVersionNumber)
            {
                writer.WriteRawValue(change.Version, skipInputValidation: true);
            }
            else
            {
                writer.WriteStringValue(change.Version);
            }
        }

        if (change.Origin is not null)
        {
            writer.WriteString("origin"u8, change.Origin);
        }

        if (change.Id is not null)
        {
            writer.WriteString("id"u8, change.Id);
        }

        writer.WriteStartObject("source"u8);
        writer.WriteString("connector"u8, connector);
        writer.WriteString("name"u8, connection);
        writer.WriteString("stream"u8, change.Stream);
        writer.WriteString("pos"u8, change.Position);
        writer.WriteNumber("ts_us"u8, change.SourceMicros);
        writer.WriteEndObject();
        writer.WriteNumber("ts_ms"u8, change.SourceMicros / 1000);
        writer.WriteEndObject();
    }

    /// <summary>Adds a change to a batch by way of <see cref="Write"/>.</summary>
    public static void Add(ChangeBatch batch, Change change, string connector, string connection)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(change);
        batch.Begin(change.Stream, change.Key);
        Write(batch, change, connector, connection);
        batch.End(change.Id);
    }

    /// <summary>Reads an entry of the log. Images are slices of <paramref name="envelope"/>, which must stay as it
    /// is.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageUnreadable"/>: not an envelope.</exception>
    public static Change Parse(RecordKey key, ReadOnlyMemory<byte> envelope)
    {
        try
        {
            return new EnvelopeReader(envelope).Read(key);
        }
        catch (JsonException e)
        {
            throw new SyncException(ErrorCode.StorageUnreadable,
                $"The log entry of record {key} is not an envelope: {e.Message}",
                innerException: e);
        }
    }

    private static void WriteImage(Utf8JsonWriter writer, ReadOnlySpan<byte> name, Record? image)
    {
        if (image is not null)
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(image.Utf8.Span, skipInputValidation: true);
        }
    }
}
