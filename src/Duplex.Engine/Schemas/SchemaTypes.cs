using System.Text.Json;

namespace Duplex.Engine.Schemas;

/// <summary>What a schema says of types and values, read from its document.</summary>
internal static class SchemaTypes
{
    private static readonly string[] All = ["array", "boolean", "integer", "null", "number", "object", "string"];

    private static readonly HashSet<string> Silent = new(StringComparer.Ordinal)
    {
        "$schema", "$id", "id", "$comment", "$anchor", "$dynamicAnchor", "$vocabulary", "$defs", "definitions", "title",
        "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
    };

    /// <summary>Whether a keyword accepts and refuses nothing.</summary>
    public static bool SaysNothing(string keyword) => Silent.Contains(keyword);

    /// <summary>The types that values of a schema may have. A number may be an integer.</summary>
    public static IReadOnlySet<string> Of(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            return All.ToHashSet(StringComparer.Ordinal);
        }

        var types = schema.TryGetProperty("type"u8, out var type)
            ? type.ValueKind switch
            {
                JsonValueKind.String => [type.GetString()!],
                JsonValueKind.Array => type.EnumerateArray().Where(static t => t.ValueKind == JsonValueKind.String)
                    .Select(static t => t.GetString()!).ToHashSet(StringComparer.Ordinal),
                _ => All.ToHashSet(StringComparer.Ordinal),
            }
            : All.ToHashSet(StringComparer.Ordinal);
        if (Values(schema) is { } values)
        {
            types.IntersectWith(values.SelectMany(static v => TypesOf(v)));
        }

        return types;
    }

    /// <summary>Whether values of a type are accepted.</summary>
    public static bool Accept(IReadOnlySet<string> types, string type) =>
        types.Contains(type) || (type == "integer" && types.Contains("number"));

    /// <summary>The only values that a schema accepts; null where it names none.</summary>
    public static IReadOnlyList<JsonElement>? Values(JsonElement schema) =>
        schema.TryGetProperty("enum"u8, out var list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()]
        : schema.TryGetProperty("const"u8, out var value) ? [value] : null;

    /// <summary>The part of a document that a reference names; only references within it are followed.</summary>
    public static bool Find(JsonElement root, string reference, out JsonElement found)
    {
        found = root;
        if (reference == "#")
        {
            return true;
        }

        if (!reference.StartsWith("#/", StringComparison.Ordinal))
        {
            return false;
        }

        foreach (var part in reference[2..].Split('/'))
        {
            var name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal);
            if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty(name, out found))
            {
                return false;
            }
        }

        return found.ValueKind is JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False;
    }

    private static IEnumerable<string> TypesOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => ["object"],
        JsonValueKind.Array => ["array"],
        JsonValueKind.String => ["string"],
        JsonValueKind.Number => value.TryGetDecimal(out var number) && decimal.IsInteger(number)
            ? ["integer", "number"] : ["number"],
        JsonValueKind.Null => ["null"],
        _ => ["boolean"],
    };
}
