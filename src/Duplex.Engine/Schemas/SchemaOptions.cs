namespace Duplex.Engine.Schemas;

/// <summary>The drafts of JSON Schema that can be compiled.</summary>
public enum SchemaDraft
{
    /// <summary>Draft 2020-12.</summary>
    Draft202012,

    /// <summary>Draft-07.</summary>
    Draft7,
}

/// <summary>How a schema is read.</summary>
public sealed record SchemaOptions
{
    /// <summary>A member at the root of a document: <c>true</c> asks for <see cref="AssertFormat"/>.</summary>
    public const string FormatKeyword = "x-assert-format";

    /// <summary>The usual reading.</summary>
    public static SchemaOptions Default { get; } = new();

    /// <summary>The draft of a schema without <c>$schema</c>.</summary>
    public SchemaDraft Draft { get; init; } = SchemaDraft.Draft202012;

    /// <summary>Whether <c>format</c> refuses what it does not describe; otherwise it only annotates.</summary>
    public bool AssertFormat { get; init; }

    /// <summary>The address that the schema's relative references start from when it has no <c>$id</c>.</summary>
    public string BaseUri { get; init; } = "";
}
