using System.Text.Json;

namespace Duplex.Engine.Schemas.Documents;

/// <summary>One file or body that holds schemas.</summary>
/// <param name="Uri">Where it was had from; empty for the schema that is compiled.</param>
/// <param name="Root">Its content.</param>
internal sealed record SchemaDocument(string Uri, JsonElement Root)
{
    /// <summary>What stands before the pointer of a place in it.</summary>
    public string Prefix { get; init; } = Uri.Length == 0 ? "" : Uri + "#";
}

/// <summary>A schema with an address of its own: a whole document, or a part with <c>$id</c>.</summary>
internal sealed class SchemaResource(string uri, SchemaDocument document, string pointer, Dialect dialect)
{
    /// <summary>Its address, against which references in it are resolved.</summary>
    public UriReference Uri { get; } = UriReference.Parse(uri);

    public SchemaDocument Document => document;

    /// <summary>Where in the document it begins.</summary>
    public string Pointer => pointer;

    public Dialect Dialect => dialect;

    /// <summary>The places that its anchors name.</summary>
    public Dictionary<string, SchemaLocation> Anchors { get; } = new(StringComparer.Ordinal);

    /// <summary>The places that its dynamic anchors name.</summary>
    public Dictionary<string, SchemaLocation> DynamicAnchors { get; } = new(StringComparer.Ordinal);

    /// <summary>The schemas compiled for its dynamic anchors.</summary>
    public Dictionary<string, SchemaNode> DynamicNodes { get; } = new(StringComparer.Ordinal);
}

/// <summary>The place of one schema.</summary>
/// <param name="Resource">What it belongs to.</param>
/// <param name="Pointer">JSON pointer in the document.</param>
/// <param name="Element">What stands there.</param>
internal sealed record SchemaLocation(SchemaResource Resource, string Pointer, JsonElement Element)
{
    /// <summary>The place for people: a pointer, after its document's address unless that is the schema's own.</summary>
    public string Display => Resource.Document.Prefix + Pointer;

    /// <summary>The place of a member of it.</summary>
    public string Under(string member) => $"{Pointer}/{JsonPointer.Escape(member)}";
}
