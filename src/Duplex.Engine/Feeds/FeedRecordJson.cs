using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>A feed's record as consumers see it, polled and pushed alike.</summary>
public static class FeedRecordJson
{
    /// <summary>
    /// The record's own id: the same each time it is read or pushed, and another one for every other record of every
    /// installation. A UUID made of what is stored of the record (version 8).
    /// </summary>
    public static Guid MessageIdOf(string feed, FeedRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[24];
        BinaryPrimitives.WriteInt64BigEndian(numbers, record.Offset);
        BinaryPrimitives.WriteInt64BigEndian(numbers[8..], record.SourceOffset);
        BinaryPrimitives.WriteInt64BigEndian(numbers[16..], record.CreatedMicros);
        hash.AppendData(numbers);
        hash.AppendData(Encoding.UTF8.GetBytes($"{feed}\0{record.Source}\0{record.Table}\0"));
        hash.AppendData(record.Key.Span);
        Span<byte> digest = stackalloc byte[32];
        hash.GetHashAndReset(digest);
        digest[6] = (byte)((digest[6] & 0x0F) | 0x80);
        digest[8] = (byte)((digest[8] & 0x3F) | 0x80);
        return new Guid(digest[..16], bigEndian: true);
    }

    /// <summary>Writes the record with its delivery: what a consumer that polls is answered.</summary>
    public static void Write(Utf8JsonWriter json, string feed, FeedRecord record)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(record);
        json.WriteStartObject();
        WriteRecord(json, feed, record);
        json.WriteString("status"u8, StatusOf(record.Status));
        json.WriteNumber("attempts"u8, record.Attempts);
        json.WriteString("createdAt"u8, Instant(record.CreatedMicros));
        json.WriteString("updatedAt"u8, Instant(record.UpdatedMicros));
        json.WriteString("errorMessage"u8, record.Error);
        json.WriteEndObject();
    }

    /// <summary>Writes the record without its delivery, so that each push of it has the same bytes.</summary>
    public static void WriteContent(Utf8JsonWriter json, string feed, FeedRecord record)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(record);
        json.WriteStartObject();
        WriteRecord(json, feed, record);
        json.WriteString("createdAt"u8, Instant(record.CreatedMicros));
        json.WriteEndObject();
    }

    /// <summary>An instant in RFC 3339, UTC, to the microsecond.</summary>
    public static string Instant(long micros) => DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond)
        .ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The operation as consumers read it. A record that a snapshot has read is inserted, for them.</summary>
    public static string OperationOf(ChangeOperation operation) => operation switch
    {
        ChangeOperation.Read or ChangeOperation.Create => "INSERT",
        ChangeOperation.Update => "UPDATE",
        ChangeOperation.Delete => "DELETE",
        _ => "TRUNCATE",
    };

    /// <summary>The status as consumers read it.</summary>
    public static string StatusOf(FeedStatus status) => status switch
    {
        FeedStatus.Delivered => "delivered",
        FeedStatus.Failed => "failed",
        _ => "pending",
    };

    private static void WriteRecord(Utf8JsonWriter json, string feed, FeedRecord record)
    {
        json.WriteNumber("offset"u8, record.Offset);
        json.WriteString("messageId"u8, MessageIdOf(feed, record));
        json.WriteString("customerId"u8, feed);
        json.WriteString("table"u8, record.Table);
        json.WriteString("operation"u8, OperationOf(record.Operation));
        WriteRaw(json, "key"u8, record.Key.Span);
        json.WriteString("version"u8, record.Version);
        json.WriteString("timestamp"u8, record.SourceMicros == 0 ? null : Instant(record.SourceMicros));
        json.WriteString("eventId"u8, record.EventId);
        WriteRaw(json, "transformedData"u8, record.Data.Span);
    }

    private static void WriteRaw(Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        json.WritePropertyName(name);
        if (value.IsEmpty)
        {
            json.WriteNullValue();
        }
        else
        {
            json.WriteRawValue(value, skipInputValidation: true);
        }
    }
}
