using System.Text;
using System.Text.Json;

namespace Duplex.Engine.Schemas;

/// <summary>What a schema was compiled from.</summary>
/// <param name="Text">The document as it was given.</param>
/// <param name="Whole">The document with every other one that it refers to, so that its references lead to places within it.</param>
/// <param name="References">The other documents, by address; empty where it stands alone.</param>
public sealed record SchemaSource(string Text, JsonElement Whole, IReadOnlyDictionary<string, string> References)
{
    /// <summary>Whether a document under other documents would be the same schema.</summary>
    public bool IsSame(SchemaSource? other) => other is not null && Text == other.Text && HasReferences(other.References);

    /// <summary>Whether the other documents are these.</summary>
    public bool HasReferences(IReadOnlyDictionary<string, string>? references) =>
        References.Count == (references?.Count ?? 0)
        && References.All(r => references!.GetValueOrDefault(r.Key) == r.Value);

    /// <summary>The set that the schema was compiled with, as far as it needs one.</summary>
    public static SchemaSet SetOf(IReadOnlyDictionary<string, string>? references) => references is null or { Count: 0 }
        ? SchemaSet.Empty
        : SchemaSet.Empty.With(references.Select(static r =>
            new KeyValuePair<string, ReadOnlyMemory<byte>>(r.Key, Encoding.UTF8.GetBytes(r.Value))));
}
