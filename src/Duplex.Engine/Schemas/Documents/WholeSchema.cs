using System.Buffers;
using System.Text.Json;

namespace Duplex.Engine.Schemas.Documents;

/// <summary>Puts a document and those that it refers to into one, for readers that follow references within a document only.</summary>
internal sealed class WholeSchema
{
    private const int AddedDepth = 8;

    private readonly SchemaIndex _index;
    private readonly SchemaDocument _root;
    private readonly IReadOnlyCollection<SchemaDocument> _others;
    private readonly Utf8JsonWriter _writer;

    private WholeSchema(
        SchemaIndex index, SchemaDocument root, IReadOnlyCollection<SchemaDocument> others, Utf8JsonWriter writer) =>
        (_index, _root, _others, _writer) = (index, root, others, writer);

    public static JsonElement Of(SchemaIndex index, SchemaDocument root, IReadOnlyCollection<SchemaDocument> others)
    {
        if (root.Root.ValueKind != JsonValueKind.Object
            || !root.Root.GetRawText().Contains("\"$ref\"", StringComparison.Ordinal))
        {
            return root.Root;
        }

        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            var whole = new WholeSchema(index, root, others, writer);
            writer.WriteStartObject();
            whole.Members(root.Root, root, "", withDefinitions: false);
            whole.Definitions();
            writer.WriteEndObject();
        }

        return JsonElement.Parse(bytes.WrittenSpan, new JsonDocumentOptions { MaxDepth = SchemaCompiler.DepthMax + AddedDepth });
    }

    private void Definitions()
    {
        var own = _root.Root.TryGetProperty("$defs"u8, out var found) && found.ValueKind == JsonValueKind.Object ? found : default;
        if (own.ValueKind == JsonValueKind.Undefined && _others.Count == 0)
        {
            return;
        }

        _writer.WriteStartObject("$defs"u8);
        if (own.ValueKind == JsonValueKind.Object)
        {
            Members(own, _root, "/$defs", withDefinitions: true);
        }

        foreach (var other in _others)
        {
            _writer.WritePropertyName(other.Uri);
            Value(other.Root, other, "");
        }

        _writer.WriteEndObject();
    }

    private void Members(JsonElement element, SchemaDocument document, string pointer, bool withDefinitions)
    {
        var resource = _index.Place(document, pointer);
        foreach (var member in element.EnumerateObject())
        {
            if ((!withDefinitions && member.NameEquals("$defs"u8)) || (resource is not null && member.NameEquals("$id"u8)))
            {
                continue;
            }

            _writer.WritePropertyName(member.Name);
            if (resource is not null && member.NameEquals("$ref"u8) && member.Value.ValueKind == JsonValueKind.String
                && Within(resource, member.Value.GetString()!) is { } within)
            {
                _writer.WriteStringValue(within);
            }
            else
            {
                Value(member.Value, document, $"{pointer}/{JsonPointer.Escape(member.Name)}");
            }
        }
    }

    private void Value(JsonElement element, SchemaDocument document, string pointer)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                _writer.WriteStartObject();
                Members(element, document, pointer, withDefinitions: true);
                _writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                _writer.WriteStartArray();
                var index = 0;
                foreach (var item in element.EnumerateArray())
                {
                    Value(item, document, $"{pointer}/{index++}");
                }

                _writer.WriteEndArray();
                break;
            default:
                element.WriteTo(_writer);
                break;
        }
    }

    /// <summary>The reference to where a reference leads; null where that is not in any of the documents.</summary>
    private string? Within(SchemaResource from, string reference)
    {
        if (_index.Resolve(from, reference, out _) is not { } place)
        {
            return null;
        }

        var document = place.Resource.Document;
        return document == _root ? Fragment(place.Pointer)
            : _others.Contains(document) ? Fragment($"/$defs/{JsonPointer.Escape(document.Uri)}{place.Pointer}") : null;
    }

    private static string Fragment(string pointer) => "#" + string.Join('/',
        pointer.Split('/').Select(static step => Uri.EscapeDataString(step).Replace("%24", "$", StringComparison.Ordinal)));
}
