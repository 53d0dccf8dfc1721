using System.Text.Json;
using Duplex.Engine.Mapping;
using Duplex.Sdk;

namespace Duplex.Engine.Diagnostics;

/// <summary>
/// What a timeline line says beside its kind, as one JSON object: <c>op</c> and <c>pos</c> of the change, then
/// whichever of <c>fields</c> (rule names), <c>write</c> (create, update, delete), <c>mark</c>, <c>request</c>,
/// <c>attempt</c>, <c>error</c> (dotted code), <c>message</c> apply. Record values are not repeated here.
/// </summary>
internal sealed record TimelineDetail
{
    public IEnumerable<string>? Fields { get; init; }

    public string? Write { get; init; }

    public string? Mark { get; init; }

    public string? Request { get; init; }

    public int Attempt { get; init; }

    public SyncError? Error { get; init; }

    public string? Message { get; init; }

    public byte[] ToUtf8(Change change) =>
        JsonScratch.Write((Detail: this, change), static (writer, s) => s.Detail.WriteTo(writer, s.change));

    private void WriteTo(Utf8JsonWriter writer, Change change)
    {
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
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }
}
