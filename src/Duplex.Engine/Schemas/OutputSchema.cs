using System.Text;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>The schema of what a customer is given of a table. Immutable; called from many tasks at once.</summary>
public sealed class OutputSchema
{
    private readonly JsonSchema _schema;

    private OutputSchema(JsonSchema schema, SchemaSource source) => (_schema, Source) = (schema, source);

    /// <summary>The document as it was given.</summary>
    public string Text => Source.Text;

    /// <summary>What it was compiled from.</summary>
    public SchemaSource Source { get; }

    /// <summary>Compiles a document; null with the reasons among the findings.</summary>
    /// <param name="text">The document.</param>
    /// <param name="known">What it may refer to; null for nothing.</param>
    /// <param name="address">Where its relative references start from.</param>
    public static (OutputSchema? Schema, IReadOnlyList<Finding> Findings) Compile(
        string text, SchemaSet? known = null, string address = "")
    {
        var result = JsonSchema.Compile(
            Encoding.UTF8.GetBytes(text), known?.Without(address), new SchemaOptions { BaseUri = address });
        return (result.Schema is null ? null : new OutputSchema(result.Schema, result.Source!),
            [.. result.Findings.Select(static f => f.Path is null ? f : f with { Path = SchemaAddress.Shown(f.Path) })]);
    }

    /// <summary>Why an output record is refused; null when it is taken.</summary>
    public string? Refuse(JsonElement record) => _schema.Breach(record);
}
