using Duplex.Engine.Ingest;

namespace Duplex.Server.Ingest;

/// <summary>What a request's headers say about its body. Whatever they do not say is one event as JSON.</summary>
internal static class PostedForm
{
    private const string StructuredType = "application/cloudevents";
    private const string BatchType = "application/cloudevents-batch";

    private static readonly string[] Codings = ["gzip", "deflate", "br", "zstd", "compress"];

    /// <summary>Whether the headers say that the body is compressed. What they say otherwise makes no difference.</summary>
    public static bool IsCompressed(HttpRequest request, out string coding)
    {
        var given = request.Headers.ContentEncoding;
        coding = given.Count == 0 ? "" : given.ToString();
        return given.Count > 0
            && coding.Split(',', StringSplitOptions.TrimEntries).Any(static one => Codings.Contains(
                one.StartsWith("x-", StringComparison.OrdinalIgnoreCase) ? one[2..] : one, StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Whether the body is a list of CloudEvents.</summary>
    public static bool IsCloudEventList(HttpRequest request) => HasType(request, BatchType);

    /// <summary>Whether the body is a CloudEvent.</summary>
    public static bool IsCloudEvent(HttpRequest request) => HasType(request, StructuredType);

    /// <summary>Whether the headers are a CloudEvent around the body.</summary>
    public static bool HasCloudEventHeaders(HttpRequest request) => request.Headers.ContainsKey("ce-specversion");

    /// <summary>How the events of a list lie in the body.</summary>
    public static BatchForm BatchFormOf(HttpRequest request) =>
        HasType(request, "application/x-ndjson") || HasType(request, "application/ndjson")
            || HasType(request, "application/jsonl")
            ? BatchForm.Lines
            : IsCloudEventList(request) ? BatchForm.Array : BatchForm.Unknown;

    /// <summary>What the headers of a CloudEvent say, or what is wrong with them.</summary>
    public static IngestRefusal? ReadHeaders(HttpRequest request, in DeliveryNote note, out DeliveryNote told) =>
        CloudEvents.Note(Value(request, "ce-specversion"), Value(request, "ce-type"), Value(request, "ce-source"),
            Value(request, "ce-id"), Value(request, "ce-time"), note, out told);

    private static string? Value(HttpRequest request, string name) =>
        request.Headers.TryGetValue(name, out var values) ? Uri.UnescapeDataString(values.ToString()) : null;

    private static bool HasType(HttpRequest request, string type) =>
        request.ContentType is { } given && given.AsSpan().Trim().StartsWith(type, StringComparison.OrdinalIgnoreCase)
        && (given.AsSpan().Trim().Length == type.Length || given.AsSpan().Trim()[type.Length] is ';' or ' ' or '+');
}
