using System.Text.Json;

namespace Duplex.Engine.Schemas.Documents;

/// <summary>The metaschemas of the drafts and their vocabularies, which are part of this assembly.</summary>
internal static class Metaschemas
{
    private const string Folder = "Duplex.Engine.Schemas.Metaschemas.";
    private const string Base = "https://json-schema.org/draft/2020-12/";

    private static readonly Lazy<Dictionary<string, JsonElement>> All = new(Read);
    private static readonly Lazy<JsonSchema> Draft7 = new(() => Compile(Dialect.Draft7));
    private static readonly Lazy<JsonSchema> Draft202012 = new(() => Compile(Dialect.Draft202012));

    /// <summary>The document at an address; false for none.</summary>
    public static bool TryGet(string uri, out JsonElement root) => All.Value.TryGetValue(uri, out root);

    /// <summary>The compiled metaschema of a draft; null for one that has none here.</summary>
    public static JsonSchema? For(Dialect dialect) => dialect.Generation switch
    {
        Generation.Draft7 => Draft7.Value,
        Generation.Draft202012 => Draft202012.Value,
        _ => null,
    };

    private static JsonSchema Compile(Dialect dialect) =>
        SchemaCompiler.CompileTrusted(dialect.Metaschema, All.Value[dialect.Metaschema], dialect);

    private static Dictionary<string, JsonElement> Read()
    {
        var all = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
        {
            [Dialect.Draft7.Metaschema] = Resource("draft-07"),
            [Dialect.Draft202012.Metaschema] = Resource("2020-12.schema"),
        };
        foreach (var name in new[] { "core", "applicator", "unevaluated", "validation", "meta-data",
            "format-annotation", "format-assertion", "content" })
        {
            all[$"{Base}meta/{name}"] = Resource("2020-12." + name);
        }

        return all;
    }

    private static JsonElement Resource(string name)
    {
        using var stream = typeof(Metaschemas).Assembly.GetManifestResourceStream($"{Folder}{name}.json")
            ?? throw new InvalidOperationException($"The metaschema {name} is not in the assembly.");
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return JsonElement.Parse(bytes.ToArray());
    }
}
