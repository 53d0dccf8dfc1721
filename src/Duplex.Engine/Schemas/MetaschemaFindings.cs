using Duplex.Engine.Schemas.Documents;
using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>What a metaschema says about a schema, for those who write schemas.</summary>
internal static class MetaschemaFindings
{
    public static Finding From(SchemaError error, SchemaLocation root)
    {
        var deepest = JsonSchema.MostRelevant([error])!;
        var keyword = deepest.InstancePointer[(deepest.InstancePointer.LastIndexOf('/') + 1)..];
        var draft = root.Resource.Dialect.Generation == Generation.Draft7 ? "draft-07" : "draft 2020-12";
        return new Finding(FindingSeverity.Error, "schema.invalid", root.Resource.Document.Prefix
            + deepest.InstancePointer, $"The schema is not valid: {deepest.Message}.",
            keyword.Length == 0 ? "Write a schema here." : $"Give '{keyword}' a value that {draft} allows there.");
    }
}
