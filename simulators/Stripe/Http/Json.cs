using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>
/// How JSON is written and read everywhere in the simulator: UTF-8, compact, nothing escaped needlessly.
/// </summary>
internal static class Json
{
    public static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public static byte[] Bytes(JsonNode node)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            node.WriteTo(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static JsonObject Object(byte[] utf8) => (JsonObject)JsonNode.Parse(utf8)!;

    public static string? Text(JsonObject value, string name) =>
        value[name] is JsonValue leaf && leaf.TryGetValue<string>(out var text) ? text : null;

    public static long Whole(JsonObject value, string name) =>
        value[name] is JsonValue leaf && leaf.TryGetValue<long>(out var number) ? number : 0;

    public static bool Flag(JsonObject value, string name) =>
        value[name] is JsonValue leaf && leaf.TryGetValue<bool>(out var flag) && flag;

    /// <summary>What a dotted path leads to, or null.</summary>
    public static JsonNode? At(JsonObject value, string path)
    {
        var at = path.IndexOf('.');
        return at < 0 ? value[path] : value[path[..at]] is JsonObject inner ? At(inner, path[(at + 1)..]) : null;
    }

    /// <summary>The leaf's text as a filter compares it, or null for null, objects and arrays.</summary>
    public static string? Leaf(JsonNode? node) => node switch
    {
        JsonValue leaf when leaf.TryGetValue<string>(out var text) => text,
        JsonValue leaf => leaf.ToJsonString(),
        _ => null,
    };
}
