using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Duplex.Sdk;

namespace Duplex.Engine.Ingest;

/// <summary>Writes the log's envelope (<see cref="ChangeEnvelope"/>) around images that are copied byte for
/// byte.</summary>
internal static class EnvelopeText
{
    /// <summary>Room for everything that is not an image, a version, an id or a source.</summary>
    private const int FrameBytes = 160;

    public static void Write(ChangeBatch batch, in CheckedEvent change, TableRoute route)
    {
        var before = Raw(change.Before);
        var after = Raw(change.After);
        var version = Raw(change.Version);
        var key = change.KeyFields.ValueKind == JsonValueKind.Object ? Raw(change.KeyFields) : default;
        var id = change.Id is null ? default : JsonEncodedText.Encode(change.Id, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        var size = FrameBytes + before.Length + after.Length + key.Length + version.Length + id.EncodedUtf8Bytes.Length
            + route.SourceHead.Length;
        var text = new Cursor(batch.GetSpan(size));
        text.Add("{\"op\":\""u8);
        text.Add((byte)ChangeEnvelope.Letter(change.Operation)[0]);
        text.Add((byte)'"');
        if (before.Length > 0)
        {
            text.Add(",\"before\":"u8);
            text.Add(before);
        }

        if (after.Length > 0)
        {
            text.Add(",\"after\":"u8);
            text.Add(after);
        }

        if (key.Length > 0)
        {
            text.Add(",\"key_fields\":"u8);
            text.Add(key);
        }

        if (version.Length > 0)
        {
            text.Add(",\"version\":"u8);
            text.Add(version);
        }

        if (change.Id is not null)
        {
            text.Add(",\"id\":\""u8);
            text.Add(id.EncodedUtf8Bytes);
            text.Add((byte)'"');
        }

        text.Add(route.SourceHead);
        text.Add(change.Micros);
        text.Add("},\"ts_ms\":"u8);
        text.Add(change.Micros / 1000);
        text.Add((byte)'}');
        batch.Advance(text.Length);
    }

    private static ReadOnlySpan<byte> Raw(JsonElement value) =>
        value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? default : JsonMarshal.GetRawUtf8Value(value);

    private ref struct Cursor(Span<byte> span)
    {
        private readonly Span<byte> _span = span;

        public int Length { get; private set; }

        public void Add(ReadOnlySpan<byte> text)
        {
            text.CopyTo(_span[Length..]);
            Length += text.Length;
        }

        public void Add(byte octet) => _span[Length++] = octet;

        public void Add(long number)
        {
            Utf8.TryWrite(_span[Length..], System.Globalization.CultureInfo.InvariantCulture, $"{number}", out var written);
            Length += written;
        }
    }
}
