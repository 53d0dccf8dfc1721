using System.Text.Json;
using Duplex.Engine.Schemas;

namespace Duplex.Engine.Registry;

/// <summary>Compares the bounds that schemas put on numbers, texts, lists and objects.</summary>
internal sealed class SchemaBounds(Action<string, string> narrowed, Action<string, string> undecided)
{
    private static readonly (string Word, string[] Types)[] Lower =
    [
        ("minimum", ["number", "integer"]), ("exclusiveMinimum", ["number", "integer"]), ("minLength", ["string"]),
        ("minItems", ["array"]), ("minProperties", ["object"]),
    ];

    private static readonly (string Word, string[] Types)[] Upper =
    [
        ("maximum", ["number", "integer"]), ("exclusiveMaximum", ["number", "integer"]), ("maxLength", ["string"]),
        ("maxItems", ["array"]), ("maxProperties", ["object"]),
    ];

    public void Compare(JsonElement old, JsonElement next, IReadOnlySet<string> types, string path)
    {
        Bounds(Lower, old, next, types, path, static (before, after) => after > before);
        Bounds(Upper, old, next, types, path, static (before, after) => after < before);
        if (types.Contains("number") || types.Contains("integer"))
        {
            Multiple(old, next, path);
        }

        if (types.Contains("string"))
        {
            Text(old, next, "pattern", path);
            Text(old, next, "format", path);
        }

        if (types.Contains("array") && IsTrue(next, "uniqueItems") && !IsTrue(old, "uniqueItems"))
        {
            narrowed($"{path}/uniqueItems", "items could repeat");
        }
    }

    private void Bounds((string Word, string[] Types)[] words, JsonElement old, JsonElement next,
        IReadOnlySet<string> types, string path, Func<decimal, decimal, bool> isTighter)
    {
        foreach (var (word, applies) in words)
        {
            if (!applies.Any(types.Contains) || !next.TryGetProperty(word, out var after)
                || (old.TryGetProperty(word, out var before) && JsonElement.DeepEquals(before, after)))
            {
                continue;
            }

            if (before.ValueKind == JsonValueKind.Undefined)
            {
                if (after.GetRawText() != "0" || !word.StartsWith("min", StringComparison.Ordinal) || word == "minimum")
                {
                    narrowed($"{path}/{word}", $"there was no {word}, now it is {after.GetRawText()}");
                }
            }
            else if (!Number(before, out var from) || !Number(after, out var to))
            {
                undecided($"{path}/{word}", $"{word} was changed");
            }
            else if (isTighter(from, to))
            {
                narrowed($"{path}/{word}", $"{word} was {before.GetRawText()} and is now {after.GetRawText()}");
            }
        }
    }

    private void Multiple(JsonElement old, JsonElement next, string path)
    {
        const string word = "multipleOf";
        if (!next.TryGetProperty(word, out var after))
        {
            return;
        }

        if (!old.TryGetProperty(word, out var before))
        {
            narrowed($"{path}/{word}", $"any number was accepted, now only multiples of {after.GetRawText()}");
        }
        else if (!Number(before, out var from) || !Number(after, out var to) || to == 0)
        {
            undecided($"{path}/{word}", $"{word} was changed");
        }
        else if (from % to != 0)
        {
            narrowed($"{path}/{word}", $"{word} was {before.GetRawText()} and is now {after.GetRawText()}");
        }
    }

    private void Text(JsonElement old, JsonElement next, string word, string path)
    {
        if (!next.TryGetProperty(word, out var after))
        {
            return;
        }

        if (!old.TryGetProperty(word, out var before))
        {
            narrowed($"{path}/{word}", $"{word} was added");
        }
        else if (!JsonElement.DeepEquals(before, after))
        {
            undecided($"{path}/{word}", $"{word} was changed");
        }
    }

    private static bool Number(JsonElement value, out decimal number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out number);
    }

    private static bool IsTrue(JsonElement schema, string word) =>
        schema.TryGetProperty(word, out var value) && value.ValueKind == JsonValueKind.True;
}
