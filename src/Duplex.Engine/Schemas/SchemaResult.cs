using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>What compiling a schema gave.</summary>
/// <param name="Schema">The compiled schema; null when a finding is an error.</param>
/// <param name="Findings">Every problem of the schema, each with its JSON pointer in the schema document and a
/// fix.</param>
public sealed record SchemaResult(JsonSchema? Schema, IReadOnlyList<Finding> Findings)
{
    /// <summary>What it was compiled from; null when there is no schema.</summary>
    public SchemaSource? Source { get; init; }
}
