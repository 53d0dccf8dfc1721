using System.Text.Json;
using Duplex.Engine.Schemas;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Output;

/// <summary>
/// Compares what a mapping writes with what the customer's schema takes, before a record shows it. All findings are warnings: a rule
/// may have nothing to write, and a mapping and its schema are often put one after the other.
/// </summary>
internal sealed class OutputFit
{
    private const int DepthMax = 32;

    private readonly JsonElement _root;
    private readonly string _table;
    private readonly List<Finding> _findings = [];

    private OutputFit(JsonElement root, string table) => (_root, _table) = (root, table);

    /// <summary>What the schema refuses of every record that has it, or misses in every record.</summary>
    public static IReadOnlyList<Finding> Check(OutputMapping mapping, OutputSchema? schema, string table)
    {
        if (schema is null)
        {
            return [];
        }

        var fit = new OutputFit(schema.Source.Whole, table);
        fit.Compare(mapping.Root, fit._root, "", 0);
        return fit._findings;
    }

    private void Compare(OutputObject written, JsonElement schema, string path, int depth)
    {
        if (depth > DepthMax || !Resolve(ref schema) || schema.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        var properties = schema.TryGetProperty("properties"u8, out var named) && named.ValueKind == JsonValueKind.Object ? named : default;
        foreach (var (name, node) in written.Members)
        {
            if (properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(name, out var member))
            {
                if (node is OutputObject inner)
                {
                    Compare(inner, member, $"{path}{name}.", depth + 1);
                }
            }
            else if (node is not OutputPattern && IsClosed(schema))
            {
                Warn("mapping.unknown_field", $"{path}{name} is written, and the customer's schema has no such member and takes no others.",
                    "Correct the name, or add the member to the schema.");
            }
        }

        if (schema.TryGetProperty("required"u8, out var required) && required.ValueKind == JsonValueKind.Array)
        {
            foreach (var name in required.EnumerateArray().Where(static r => r.ValueKind == JsonValueKind.String)
                .Select(static r => r.GetString()!).Where(name => !Writes(written, name)))
            {
                Warn("mapping.required_unmapped", $"The customer's schema requires {path}{name}, and no rule writes it.",
                    "Add a rule for it, or take it out of the schema's required.");
            }
        }
    }

    /// <summary>Follows references within the document. Keywords beside a reference are those of the reference's owner.</summary>
    private bool Resolve(ref JsonElement schema)
    {
        for (var hops = 0; schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("$ref"u8, out var reference); hops++)
        {
            if (hops > DepthMax || schema.TryGetProperty("properties"u8, out _) || reference.ValueKind != JsonValueKind.String
                || !SchemaTypes.Find(_root, reference.GetString()!, out schema))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Writes(OutputObject written, string name) => written.Find(name) is not null
        || written.Members.Any(m => m.Node is OutputPattern pattern && pattern.MayWrite(name));

    /// <summary>Whether members that are not named are refused; patterns may name any.</summary>
    private static bool IsClosed(JsonElement schema) =>
        schema.TryGetProperty("additionalProperties"u8, out var others) && others.ValueKind == JsonValueKind.False
        && !schema.TryGetProperty("patternProperties"u8, out _);

    private void Warn(string code, string message, string fix) =>
        _findings.Add(new Finding(FindingSeverity.Warning, code, null, $"{_table}: {message}", fix));
}
