using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Diagnostics;

/// <summary>
/// What a timeline line says beside its kind, as one JSON object: <c>op</c> and <c>pos</c> of the change, then
/// whichever of <c>fields</c> (rule names), <c>write</c> (create, update, delete), <c>mark</c>, <c>request</c>,
/// <c>attempt</c>, <c>error</c> (dotted code), <c>message</c> apply. Record values are not repeated here.
/// </summary>
internal sealed record TimelineDetail
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public IEnumerable<string>? Fields { get; init; }

    public string? Write { get; init; }

    public string? Mark { get; init; }

    public string? Request { get; init; }

    public int Attempt { get; init; }

    public SyncError? Error { get; init; }

    public string? Message { get; init; }

    public byte[] ToUtf8(Change change)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Options);
        writer.WriteStartObject();
        writer.WriteString("op"u8, ChangeEnvelope.Letter(change.Operation));
        writer.WriteString("pos"u8, change.Position);
        if (change.SourceMicros > 0)
        {
            writer.WriteNumber("ts_us"u8, change.SourceMicros);
        }

        if (Fields is not null)
        {
            writer.WriteStartArray("fields"u8);
            foreach (var field in Fields)
            {
                writer.WriteStringValue(field);
            }

            writer.WriteEndArray();
        }

        WriteText(writer, "write", Write);
        WriteText(writer, "mark", Mark);
        WriteText(writer, "request", Request);
        if (Attempt > 0)
        {
            writer.WriteNumber("attempt"u8, Attempt);
        }

        WriteText(writer, "error", Error is null ? null : ErrorCodes.Dotted(Error.Code));
        WriteText(writer, "message", Message ?? Error?.Message);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }
}
