using System.Text.Json;
using System.Text.Unicode;

namespace Duplex.Engine.Ingest;

/// <summary>Reads a posted body as JSON, strictly: what other readers of the log would read otherwise, or not at all, is
/// not taken.</summary>
internal static class PostedJson
{
    /// <summary>The deepest nesting: an image goes on into envelopes and mappings, whose readers stop at 64.</summary>
    public const int DepthMax = 60;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = DepthMax, AllowDuplicateProperties = false };

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The document over the body's bytes, or why there is none.</summary>
    public static IngestRefusal? Parse(ReadOnlyMemory<byte> body, out JsonDocument? document)
    {
        document = null;
        if (body.Span.StartsWith(ByteOrderMark))
        {
            body = body[3..];
        }

        if (!Utf8.IsValid(body.Span))
        {
            return IngestRefusal.Malformed("The body is not UTF-8.");
        }

        try
        {
            document = JsonDocument.Parse(body, Options);
            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return IngestRefusal.Malformed(
                e is JsonException { LineNumber: { } line, BytePositionInLine: { } position }
                    ? $"The body is not JSON that can be read (line {line + 1}, byte {position + 1})."
                    : "The body is not JSON that can be read.");
        }
    }
}
