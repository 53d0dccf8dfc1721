using System.Runtime.InteropServices;
using System.Text.Json;
using Duplex.Engine.Schemas.Documents;
using Duplex.Engine.Schemas.Formats;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary>Compiles the keywords of the validation vocabulary.</summary>
internal static class AssertionKeywords
{
    public static Keyword? Build(KeywordBuilder builder, KeywordSite site, JsonElement value) => site.Name switch
    {
        "type" => Type(site, value),
        "enum" when value.ValueKind == JsonValueKind.Array => new EnumKeyword(site, value),
        "const" => new ConstKeyword(site, value),
        "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum"
            when value.ValueKind == JsonValueKind.Number => new BoundKeyword(site, value),
        "multipleOf" when IsAboveZero(value) => new MultipleOfKeyword(site, value),
        "minLength" or "maxLength" => Size(site, value, Kinds.Strings),
        "minItems" or "maxItems" => Size(site, value, Kinds.Arrays),
        "minProperties" or "maxProperties" => Size(site, value, Kinds.Objects),
        "uniqueItems" when value.ValueKind == JsonValueKind.True => new UniqueItemsKeyword(site),
        "pattern" when value.ValueKind == JsonValueKind.String => Pattern(builder, site, value.GetString()!),
        "required" when value.ValueKind == JsonValueKind.Array => Required(builder, site, value),
        "dependentRequired" when builder.Dialect.Generation != Generation.Draft7
            && value.ValueKind == JsonValueKind.Object => DependentRequired(site, value),
        _ => null,
    };

    /// <summary><c>format</c>; null when it only annotates.</summary>
    public static Keyword? Format(KeywordBuilder builder, KeywordSite site, JsonElement value) =>
        builder.AssertsFormat && value.ValueKind == JsonValueKind.String
        && FormatCatalog.Find(value.GetString()!, builder.Dialect) is { } format
            ? new FormatKeyword(site, value.GetString()!, format) : null;

    /// <summary>The texts of an array.</summary>
    public static string[] Texts(JsonElement array) =>
        [.. array.EnumerateArray().Where(static t => t.ValueKind == JsonValueKind.String).Select(StringText.Decode)];

    /// <summary>A count that a keyword names; null for something else.</summary>
    public static long? Count(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number)
            return null;
        var number = new NumberText(JsonMarshal.GetRawUtf8Value(value));
        if (!number.IsWhole || number.IsNegative)
            return null;
        return number.Count + number.Exponent > 18 ? long.MaxValue : (long)value.GetDecimal();
    }

    private static TypeKeyword? Type(KeywordSite site, JsonElement value)
    {
        string[] names = value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array => Texts(value),
            _ => [],
        };
        return names.Length == 0 ? null : new TypeKeyword(site, names);
    }

    private static SizeKeyword? Size(KeywordSite site, JsonElement value, Kinds kind) =>
        Count(value) is { } bound ? new SizeKeyword(site, kind, bound) : null;

    private static PatternKeyword? Pattern(KeywordBuilder builder, KeywordSite site, string source) =>
        builder.Pattern(site.Name, source) is { } pattern ? new PatternKeyword(site, pattern) : null;

    private static RequiredKeyword Required(KeywordBuilder builder, KeywordSite site, JsonElement value)
    {
        builder.Parts.Required = Texts(value);
        return new RequiredKeyword(site, builder.Parts);
    }

    private static DependentKeyword DependentRequired(KeywordSite site, JsonElement value) =>
        new(site, [.. value.EnumerateObject().Where(static m => m.Value.ValueKind == JsonValueKind.Array)
            .Select(static m => new Dependency(m.Name, Texts(m.Value), null))]);

    private static bool IsAboveZero(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number)
            return false;
        var number = new NumberText(JsonMarshal.GetRawUtf8Value(value));
        return !number.IsZero && !number.IsNegative;
    }
}
