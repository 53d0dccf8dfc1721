using System.Runtime.CompilerServices;
using System.Text.Json;
using Duplex.Engine.Schemas;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>
/// Whether a schema accepts all that another one accepts. What narrows is an error; what cannot be decided is one too, because nobody
/// could vouch for it; a member that the old schema left open and the other one describes is a warning.
/// </summary>
public sealed class SchemaCompatibility
{
    private const int DepthMax = 64;
    private const int FindingsMax = 100;
    private const int StepsMax = 100_000;

    private static readonly string[] NeverDecided =
    [
        "not", "if", "then", "else", "oneOf", "contains", "minContains", "maxContains", "patternProperties",
        "propertyNames", "dependentSchemas", "dependentRequired", "dependencies", "unevaluatedProperties",
        "unevaluatedItems", "$dynamicRef", "$recursiveRef", "contentEncoding", "contentMediaType",
        SchemaOptions.FormatKeyword,
    ];

    private readonly JsonElement _oldRoot;
    private readonly JsonElement _newRoot;
    private readonly List<Finding> _findings = [];
    private readonly HashSet<(string Old, string New)> _entered = [];

    private readonly StrongBox<int> _steps;

    private SchemaCompatibility(JsonElement old, JsonElement next, StrongBox<int> steps) =>
        (_oldRoot, _newRoot, _steps) = (old, next, steps);

    /// <summary>What keeps the new schema from accepting what the old one accepts, each with its place in the new one.</summary>
    public static IReadOnlyList<Finding> Compare(JsonElement old, JsonElement next)
    {
        var comparison = new SchemaCompatibility(old, next, new StrongBox<int>());
        comparison.Schema(old, next, "", 0);
        return comparison._findings;
    }

    private void Schema(JsonElement old, JsonElement next, string path, int depth)
    {
        if (_findings.Count >= FindingsMax)
        {
            return;
        }

        if (depth > DepthMax || _steps.Value++ > StepsMax)
        {
            Undecided(path, "the schemas are too deep or too large");
            return;
        }

        if (AcceptsAll(next) || old.ValueKind == JsonValueKind.False
            || (JsonElement.DeepEquals(old, next) && !HasReference(old)))
        {
            return;
        }

        if (next.ValueKind == JsonValueKind.False)
        {
            Narrowed(path, "nothing is accepted here any more");
            return;
        }

        if (old.ValueKind == JsonValueKind.True)
        {
            old = JsonElement.Parse("{}");
        }

        if (!Resolve(ref old, _oldRoot, path, out var oldName) || !Resolve(ref next, _newRoot, path, out var newName)
            || ((oldName ?? newName) is not null && !_entered.Add((oldName ?? path, newName ?? path))))
        {
            return;
        }

        var types = SchemaTypes.Of(old);
        Types(types, next, path);
        Values(old, next, path);
        new SchemaBounds(Narrowed, Undecided).Compare(old, next, types, path);
        if (types.Contains("object"))
        {
            Members(old, next, path, depth);
        }

        if (types.Contains("array"))
        {
            Items(old, next, path, depth);
        }

        Branches(old, next, path, depth);
        Others(old, next, path);
    }

    private void Types(IReadOnlySet<string> old, JsonElement next, string path)
    {
        var lost = old.Where(t => !SchemaTypes.Accept(SchemaTypes.Of(next), t)).Order(StringComparer.Ordinal).ToList();
        if (lost.Count > 0)
        {
            Narrowed($"{path}/type", $"{string.Join(", ", lost)} is no longer accepted");
        }
    }

    private void Values(JsonElement old, JsonElement next, string path)
    {
        if (SchemaTypes.Values(next) is not { } allowed)
        {
            return;
        }

        var word = next.TryGetProperty("enum"u8, out _) ? "enum" : "const";
        if (SchemaTypes.Values(old) is not { } before)
        {
            Narrowed($"{path}/{word}", "any value was accepted, now only those that are listed");
            return;
        }

        foreach (var value in before.Where(v => !allowed.Any(a => JsonElement.DeepEquals(a, v))))
        {
            Narrowed($"{path}/{word}", $"the value {Shown(value)} is no longer accepted");
        }
    }

    private void Members(JsonElement old, JsonElement next, string path, int depth)
    {
        foreach (var name in Names(next, "required").Except(Names(old, "required"), StringComparer.Ordinal))
        {
            Narrowed($"{path}/required", $"{name} was optional and is now required");
        }

        var (before, after) = (Map(old, "properties"), Map(next, "properties"));
        var (othersBefore, othersAfter) = (Others(old), Others(next));
        foreach (var (name, schema) in after)
        {
            var place = $"{path}/properties/{Escaped(name)}";
            if (before.TryGetValue(name, out var known))
            {
                Schema(known, schema, place, depth + 1);
            }
            else if (othersBefore is { } described && !AcceptsAll(described))
            {
                Schema(described, schema, place, depth + 1);
            }
            else if (!AcceptsAll(schema))
            {
                _findings.Add(new Finding(FindingSeverity.Warning, "schema.member_described", place,
                    $"{name} could have any value before, because nothing was said about it; now it is described.",
                    "Make sure that no record had another value there."));
            }
        }

        foreach (var (name, schema) in before.Where(p => !after.ContainsKey(p.Key)))
        {
            if (othersAfter is { } rest)
            {
                Schema(schema, rest, rest.ValueKind == JsonValueKind.False
                    ? $"{path}/properties/{Escaped(name)}" : $"{path}/additionalProperties", depth + 1);
            }
        }

        if (othersAfter is { } closed && !AcceptsAll(closed))
        {
            Schema(othersBefore ?? JsonElement.Parse("true"), closed, $"{path}/additionalProperties", depth + 1);
        }
    }

    private void Items(JsonElement old, JsonElement next, string path, int depth)
    {
        if (old.TryGetProperty("prefixItems"u8, out var oldPrefix) | next.TryGetProperty("prefixItems"u8, out var newPrefix)
            || IsList(old, "items") || IsList(next, "items"))
        {
            if (!Same(oldPrefix, newPrefix) || !Same(Member(old, "items"), Member(next, "items")))
            {
                Undecided($"{path}/items", "items by their place were changed");
            }

            return;
        }

        if (next.TryGetProperty("items"u8, out var items))
        {
            Schema(old.TryGetProperty("items"u8, out var before) ? before : JsonElement.Parse("true"), items,
                $"{path}/items", depth + 1);
        }
    }

    /// <summary>Every branch of <c>allOf</c> must accept what the old schema accepts; of <c>anyOf</c>, one.</summary>
    private void Branches(JsonElement old, JsonElement next, string path, int depth)
    {
        if (next.TryGetProperty("allOf"u8, out var all) && !Same(Member(old, "allOf"), all))
        {
            var known = Member(old, "allOf") is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().ToList() : [];
            var i = 0;
            foreach (var branch in all.EnumerateArray())
            {
                if (!known.Exists(k => Accepts(k, branch, depth)))
                {
                    Schema(Without(old, "allOf"), branch, $"{path}/allOf/{i}", depth + 1);
                }

                i++;
            }
        }

        if (next.TryGetProperty("anyOf"u8, out var any) && !Same(Member(old, "anyOf"), any))
        {
            List<JsonElement> before = Member(old, "anyOf") is { ValueKind: JsonValueKind.Array } list
                ? [.. list.EnumerateArray()] : [Without(old, "anyOf")];
            if (!before.TrueForAll(b => any.EnumerateArray().Any(a => Accepts(b, a, depth))))
            {
                Undecided($"{path}/anyOf", "no single branch accepts all that was accepted");
            }
        }
    }

    private void Others(JsonElement old, JsonElement next, string path)
    {
        foreach (var word in NeverDecided)
        {
            if (!next.TryGetProperty(word, out var after))
            {
                continue;
            }

            if (!old.TryGetProperty(word, out var before))
            {
                Narrowed($"{path}/{word}", $"{word} was added");
            }
            else if (!JsonElement.DeepEquals(before, after))
            {
                Undecided($"{path}/{word}", $"{word} was changed");
            }
        }
    }

    private bool Accepts(JsonElement old, JsonElement next, int depth)
    {
        var trial = new SchemaCompatibility(_oldRoot, _newRoot, _steps);
        trial.Schema(old, next, "", depth + 1);
        return !trial._findings.Exists(static f => f.Severity == FindingSeverity.Error);
    }

    /// <summary>Follows a reference within the document; false where that cannot be done.</summary>
    private bool Resolve(ref JsonElement schema, JsonElement root, string path, out string? name)
    {
        name = null;
        for (var steps = 0; schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("$ref"u8, out var reference); steps++)
        {
            name = reference.GetString() ?? "";
            if (steps > DepthMax || schema.EnumerateObject().Any(static m => m.Name != "$ref" && !SchemaTypes.SaysNothing(m.Name))
                || !SchemaTypes.Find(root, name, out schema))
            {
                Undecided(path, $"the reference {name} has neighbours or leads out of the schema");
                return false;
            }
        }

        return true;
    }

    private void Narrowed(string path, string what) => Add("schema.narrowed", path, $"{Where(path)}: {what}.",
        "Accept it still, or put the schema with compatibility=none.");

    private void Undecided(string path, string what) => Add("schema.undecidable", path,
        $"{Where(path)}: it cannot be decided whether all that was accepted still is: {what}.",
        "Look at it yourself, and put the schema with compatibility=none.");

    private void Add(string code, string path, string message, string fix)
    {
        if (_findings.Count < FindingsMax && !_findings.Exists(f => f.Path == path && f.Message == message))
        {
            _findings.Add(new Finding(FindingSeverity.Error, code, path, message, fix));
        }
    }

    private static string Where(string path) => path.Length == 0 ? "The whole" : path;

    private static bool AcceptsAll(JsonElement schema) => schema.ValueKind == JsonValueKind.True
        || (schema.ValueKind == JsonValueKind.Object && schema.EnumerateObject().All(static m => SchemaTypes.SaysNothing(m.Name)));

    private static bool HasReference(JsonElement schema) => schema.GetRawText().Contains("\"$ref\"", StringComparison.Ordinal);

    private static JsonElement Member(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var value) ? value : default;

    private static bool IsList(JsonElement schema, string name) => Member(schema, name).ValueKind == JsonValueKind.Array;

    private static bool Same(JsonElement a, JsonElement b) => a.ValueKind == JsonValueKind.Undefined
        ? b.ValueKind == JsonValueKind.Undefined : b.ValueKind != JsonValueKind.Undefined && JsonElement.DeepEquals(a, b);

    private static JsonElement? Others(JsonElement schema) =>
        schema.TryGetProperty("additionalProperties"u8, out var others) ? others : null;

    private static JsonElement Without(JsonElement schema, string word) => JsonSerializer.SerializeToElement(
        schema.EnumerateObject().Where(m => m.Name != word).ToDictionary(static m => m.Name, static m => m.Value));

    private static Dictionary<string, JsonElement> Map(JsonElement schema, string name) =>
        Member(schema, name) is { ValueKind: JsonValueKind.Object } map
            ? map.EnumerateObject().GroupBy(static m => m.Name, StringComparer.Ordinal)
                .ToDictionary(static g => g.Key, static g => g.Last().Value, StringComparer.Ordinal)
            : [];

    private static IEnumerable<string> Names(JsonElement schema, string name) =>
        Member(schema, name) is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray().Where(static n => n.ValueKind == JsonValueKind.String).Select(static n => n.GetString()!) : [];

    private static string Escaped(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static string Shown(JsonElement value) =>
        value.GetRawText() is { Length: > 60 } text ? text[..60] + "…" : value.GetRawText();
}
