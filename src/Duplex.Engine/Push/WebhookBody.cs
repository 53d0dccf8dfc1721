using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.Engine.Push;

/// <summary>What a webhook's body says: <c>{"type":"users.created","timestamp":…,"data":{…}}</c>. The same bytes for each
/// attempt.</summary>
internal static class WebhookBody
{
    private static readonly JsonWriterOptions Compact = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public static byte[] Of(string feed, FeedRecord record)
    {
        var buffer = new ArrayBufferWriter<byte>(record.Data.Length + 512);
        using var json = new Utf8JsonWriter(buffer, Compact);
        json.WriteStartObject();
        json.WriteString("type"u8, $"{record.Table}.{Verb(record.Operation)}");
        json.WriteString("timestamp"u8,
            FeedRecordJson.Instant(record.SourceMicros != 0 ? record.SourceMicros : record.CreatedMicros));
        json.WritePropertyName("data"u8);
        FeedRecordJson.WriteContent(json, feed, record);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static string Verb(ChangeOperation operation) => operation switch
    {
        ChangeOperation.Read or ChangeOperation.Create => "created",
        ChangeOperation.Update => "updated",
        ChangeOperation.Delete => "deleted",
        _ => "truncated",
    };
}
