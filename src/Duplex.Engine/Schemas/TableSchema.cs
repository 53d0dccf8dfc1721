using System.Text.Json;

namespace Duplex.Engine.Schemas;

/// <summary>One table's schema, compiled.</summary>
/// <param name="table">The table.</param>
/// <param name="breach">The message of an instance's most relevant error, or null if the instance is valid.</param>
/// <param name="keyFields">The members that identify a record, in order.</param>
public sealed class TableSchema(string table, Func<JsonElement, string?> breach, IReadOnlyList<string> keyFields)
{
    private const int ReferencesMax = 32;

    /// <summary>The table.</summary>
    public string Table => table;

    /// <summary>The members of <c>primary_key</c> that identify a record, in order; empty where the schema names
    /// none.</summary>
    public IReadOnlyList<string> KeyFields => keyFields;

    /// <summary>What it was compiled from; null for one that was made otherwise.</summary>
    public SchemaSource? Source { get; init; }

    /// <summary>What is wrong with the instance, in one sentence; null if it is valid.</summary>
    public string? Breach(JsonElement instance) => breach(instance);

    /// <summary>The members that a schema's <c>primary_key</c> requires, in the order of its properties; all of its
    /// properties where it requires none.</summary>
    /// <param name="schema">The schema with all that it refers to.</param>
    internal static IReadOnlyList<string> KeyFieldsOf(JsonElement schema)
    {
        if (!Descend(schema, schema, "properties", out var properties)
            || !Descend(schema, properties, "primary_key", out var key)
            || !Descend(schema, key, "properties", out var members))
        {
            return [];
        }

        var required = key.TryGetProperty("required"u8, out var names) && names.ValueKind == JsonValueKind.Array
            ? names.EnumerateArray().Where(static n => n.ValueKind == JsonValueKind.String)
                .Select(static n => n.GetString()!).ToHashSet(StringComparer.Ordinal)
            : [];
        var all = members.EnumerateObject().Select(static m => m.Name).ToList();
        return required.Count == 0
            ? all
            : [.. all.Where(required.Contains), .. required.Except(all).Order(StringComparer.Ordinal)];
    }

    private static bool Descend(JsonElement root, JsonElement from, string name, out JsonElement to)
    {
        to = default;
        if (from.ValueKind != JsonValueKind.Object || !from.TryGetProperty(name, out to))
        {
            return false;
        }

        for (var steps = 0; steps < ReferencesMax && to.ValueKind == JsonValueKind.Object
            && !to.TryGetProperty("properties"u8, out _) && to.TryGetProperty("$ref"u8, out var reference)
            && reference.ValueKind == JsonValueKind.String; steps++)
        {
            if (!SchemaTypes.Find(root, reference.GetString()!, out to))
            {
                return false;
            }
        }

        return to.ValueKind == JsonValueKind.Object;
    }
}
