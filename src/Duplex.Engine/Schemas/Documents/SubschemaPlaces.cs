using System.Text.Json;

namespace Duplex.Engine.Schemas.Documents;

/// <summary>Which members of a schema hold schemas.</summary>
internal static class SubschemaPlaces
{
    /// <summary>The schemas directly in a schema, each with its pointer below it.</summary>
    public static IEnumerable<(string Pointer, JsonElement Element)> In(JsonElement schema, Dialect dialect)
    {
        foreach (var member in schema.EnumerateObject())
        {
            var step = "/" + JsonPointer.Escape(member.Name);
            var value = member.Value;
            switch (Shape(member.Name, dialect.Generation))
            {
                case Place.One when IsSchema(value):
                    yield return (step, value);
                    break;
                case Place.Many or Place.OneOrMany when value.ValueKind == JsonValueKind.Array:
                    var index = 0;
                    foreach (var item in value.EnumerateArray())
                        yield return ($"{step}/{index++}", item);
                    break;
                case Place.OneOrMany when IsSchema(value):
                    yield return (step, value);
                    break;
                case Place.Named when value.ValueKind == JsonValueKind.Object:
                    foreach (var named in value.EnumerateObject().Where(static n => IsSchema(n.Value)))
                        yield return ($"{step}/{JsonPointer.Escape(named.Name)}", named.Value);
                    break;
            }
        }
    }

    /// <summary>Whether the value can be a schema.</summary>
    public static bool IsSchema(JsonElement value) =>
        value.ValueKind is JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False;

    private static Place Shape(string keyword, Generation generation) => keyword switch
    {
        "additionalProperties" or "propertyNames" or "contains" or "not" or "if" or "then" or "else" => Place.One,
        "allOf" or "anyOf" or "oneOf" => Place.Many,
        "properties" or "patternProperties" or "definitions" or "dependencies" => Place.Named,
        "items" => generation == Generation.Draft202012 ? Place.One : Place.OneOrMany,
        "additionalItems" => generation == Generation.Draft202012 ? Place.None : Place.One,
        "unevaluatedItems" or "unevaluatedProperties" or "contentSchema" =>
            generation == Generation.Draft7 ? Place.None : Place.One,
        "prefixItems" => generation == Generation.Draft202012 ? Place.Many : Place.None,
        "$defs" or "dependentSchemas" => generation == Generation.Draft7 ? Place.None : Place.Named,
        _ => Place.None,
    };

    private enum Place
    {
        None,
        One,
        Many,
        OneOrMany,
        Named,
    }
}
