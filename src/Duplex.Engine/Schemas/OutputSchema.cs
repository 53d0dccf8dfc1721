using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>Compiles the schema of a customer's table.</summary>
internal static class OutputSchema
{
    /// <summary>Tells why an output record is refused, null when it is taken; null with the reasons among the findings.</summary>
    public static (Func<JsonElement, string?>? Refusal, IReadOnlyList<Finding> Findings) Compile(ReadOnlyMemory<byte> utf8)
    {
        var (schema, findings) = JsonSchema.Compile(utf8);
        return (schema is null ? null : element => schema.IsValid(element)
            ? null
            : JsonSchema.MostRelevant(schema.Validate(element))?.Message ?? "the record does not match the schema", findings);
    }
}
