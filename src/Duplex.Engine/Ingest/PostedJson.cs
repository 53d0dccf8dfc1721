using System.Text.Json;
using Duplex.Engine.Schemas;

namespace Duplex.Engine.Ingest;

/// <summary>Reads a posted body as JSON, strictly: what other readers of the log would read otherwise, or not at all, is
/// not taken.</summary>
internal static class PostedJson
{
    /// <summary>The deepest nesting: an image goes on into envelopes and mappings, whose readers stop at 64.</summary>
    public const int DepthMax = 60;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = DepthMax };

    /// <summary>The document over the body's bytes, or why there is none.</summary>
    public static IngestRefusal? Parse(ReadOnlyMemory<byte> body, out JsonDocument? document)
    {
        document = null;
        if (StrictJson.Check(body.Span, DepthMax) is { } error)
        {
            return IngestRefusal.Malformed(error.Message);
        }

        document = JsonDocument.Parse(body, Options);
        return null;
    }
}
