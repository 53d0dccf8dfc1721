using System.Text.Json;
using Duplex.Engine.Mapping;

namespace Duplex.Engine.Tests.Mapping;

/// <summary>Every case of JSONata's own suite that is a condition of ours must have JSONata's answer.</summary>
public sealed class JsonataSuiteTests
{
    private const string Folder = "jsonata";

    [SkippableFact]
    public void What_compiles_means_what_JSONata_means()
    {
        var suite = Find();
        Skip.If(suite is null, "The JSONata suite is not here; set JSONATA_SUITE to its test-suite folder.");
        var answered = 0;
        var wrong = new List<string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(suite!, "groups"), "*.json",
            SearchOption.AllDirectories))
        {
            var root = JsonDocument.Parse(File.ReadAllText(file)).RootElement;
            foreach (var test in root.ValueKind == JsonValueKind.Array ? root.EnumerateArray().ToArray() : [root])
            {
                if (Compile(test) is { } predicate && Input(suite!, test) is { } input
                    && Expected(test) is { } expected)
                {
                    answered++;
                    if (predicate.Holds(input) != expected)
                    {
                        wrong.Add($"{Path.GetFileName(Path.GetDirectoryName(file))}/{Path.GetFileName(file)}: {predicate.Text}");
                    }
                }
            }
        }

        wrong.ShouldBeEmpty();
        answered.ShouldBeGreaterThan(150);
    }

    private static Predicate? Compile(JsonElement test)
    {
        if (!test.TryGetProperty("expr", out var expression) || !JsonText.TryText(expression, out var text)
            || (test.TryGetProperty("bindings", out var bindings) && bindings.EnumerateObject().Any()))
        {
            return null;
        }

        try
        {
            return Predicate.Compile(text);
        }
        catch (PredicateException)
        {
            return null;
        }
    }

    private static JsonElement? Input(string suite, JsonElement test)
    {
        if (test.TryGetProperty("data", out var data))
        {
            return data;
        }

        return test.TryGetProperty("dataset", out var name) && name.ValueKind == JsonValueKind.String
            ? JsonElement.Parse(File.ReadAllText(Path.Combine(suite, "datasets", $"{name.GetString()}.json")))
            : JsonElement.Parse("null");
    }

    /// <summary>The truth of the result; null where JSONata itself answers with an error, which for us is "does not
    /// hold".</summary>
    private static bool? Expected(JsonElement test) =>
        test.TryGetProperty("result", out var result) ? Holds(result)
        : test.TryGetProperty("undefinedResult", out _) ? false : null;

    private static bool Holds(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.String => value.GetString()!.Length > 0,
        JsonValueKind.Number => value.GetDouble() != 0,
        JsonValueKind.Array => value.EnumerateArray().Any(Holds),
        JsonValueKind.Object => value.EnumerateObject().Any(),
        _ => false,
    };

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("JSONATA_SUITE") is { Length: > 0 } given)
        {
            return given;
        }

        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var candidate = Path.Combine(at.FullName, "shared", "suites", Folder);
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}
