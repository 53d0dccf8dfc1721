using System.Text;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>The schema of what a customer is given of a table. Immutable; called from many tasks at once.</summary>
public sealed class OutputSchema
{
    private readonly JsonSchema _schema;

    private OutputSchema(JsonSchema schema, string text) => (_schema, Text) = (schema, text);

    /// <summary>The document as it was given.</summary>
    public string Text { get; }

    /// <summary>Compiles a document; null with the reasons among the findings.</summary>
    public static (OutputSchema? Schema, IReadOnlyList<Finding> Findings) Compile(string text)
    {
        var (schema, findings) = JsonSchema.Compile(Encoding.UTF8.GetBytes(text));
        return (schema is null ? null : new OutputSchema(schema, text), findings);
    }

    /// <summary>Why an output record is refused; null when it is taken.</summary>
    public string? Refuse(JsonElement record) => _schema.Breach(record);
}
