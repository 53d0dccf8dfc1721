using System.Text.Json;
using Duplex.Engine.Jsonata;
using Duplex.Schemas.Tests;
using Xunit.Abstractions;

namespace Duplex.Jsonata.Tests;

/// <summary>The language's own suite: one file holds one case or an array of cases.</summary>
public sealed class JsonataSuiteTests(ITestOutputHelper output)
{
    private static readonly JsonataExpression _expr = JsonataExpression.Compile("expr").Expression!;

    private static readonly JsonataLimits _limits = new()
    {
        StepsMax = 20_000_000,
        TimeMax = TimeSpan.FromMinutes(2),
        BytesMax = 1L << 30,
    };

    [SkippableFact]
    public void Every_case_of_the_suite_passes()
    {
        string suite = Suites.Folder("jsonata");
        var datasets = Directory.GetFiles(Path.Combine(suite, "datasets"), "*.json")
            .ToDictionary(f => Path.GetFileNameWithoutExtension(f)!, f => Parse(File.ReadAllText(f)), StringComparer.Ordinal);
        var cases = Cases(Path.Combine(suite, "groups"));
        var tally = new SuiteTally("jsonata", cases.Where(c => c.Text is null)
            .ToDictionary(c => c.Name, _ => "the file with the case's expression is not in this copy of the suite"));
        foreach (var (group, name, test, text) in cases)
        {
            string? failure = text is null ? "no expression" : Failure(test, text, datasets);
            tally.Add(group, name, failure is null ? null : $"{failure}\n    {text}");
        }
        tally.Conclude(cases.Count, output);
    }

    private static List<(string Group, string Name, JsonElement Test, string? Text)> Cases(string folder)
    {
        List<(string, string, JsonElement, string?)> cases = [];
        foreach (string file in Directory.GetFiles(folder, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string place = Path.GetDirectoryName(file)!;
            string group = Path.GetFileName(place);
            var content = Parse(File.ReadAllText(file));
            int i = 0;
            foreach (var test in content.ValueKind == JsonValueKind.Array ? content.EnumerateArray().ToArray() : [content])
                cases.Add((group, $"{group}/{Path.GetFileNameWithoutExtension(file)}[{i++}]", test, ExpressionOf(test, place)));
        }
        return cases;
    }

    private static JsonElement Parse(string json) => JsonDocument.Parse(json, new() { MaxDepth = 1_000 }).RootElement;

    /// <summary>The expression's text; null if it is in a file that is not there.</summary>
    private static string? ExpressionOf(JsonElement test, string folder)
    {
        if (test.TryGetProperty("expr-file", out var file))
        {
            string path = Path.Combine(folder, file.GetString()!);
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        // The reader of JSON refuses texts with half a surrogate pair, which some cases have; the language does not.
        var text = _expr.Evaluate(test, _limits, null, TimeProvider.System, out var error);
        error.ShouldBeNull();
        return text.GetString()!;
    }

    private static string? Failure(JsonElement test, string text, Dictionary<string, JsonElement> datasets)
    {
        var result = JsonataExpression.Compile(text);
        var error = result.Error;
        JsonataValue value = default;
        if (result.Expression is not null)
        {
            value = result.Expression.Evaluate(Input(test, datasets), Limits(test), Bindings(test), TimeProvider.System,
                out error);
        }
        if (ExpectedError(test) is { } expected)
            return ErrorFailure(expected, test, error, value);
        if (error is not null)
            return $"failed: {error.Code} {error.Message}";
        if (test.TryGetProperty("undefinedResult", out _))
            return value.IsUndefined ? null : $"gave {Text(value)} instead of nothing";
        var wanted = test.GetProperty("result");
        if (value.IsUndefined)
            return $"gave nothing instead of {wanted.GetRawText()}";
        bool isUnordered = test.TryGetProperty("unordered", out var unordered) && unordered.GetBoolean();
        return JsonComparison.AreEqual(wanted, Parse(Text(value)), isUnordered)
            ? null
            : $"gave {Text(value)} instead of {wanted.GetRawText()}";
    }

    private static string Text(JsonataValue value) => System.Text.Encoding.UTF8.GetString(value.ToUtf8());

    private static JsonElement Input(JsonElement test, Dictionary<string, JsonElement> datasets)
    {
        if (test.TryGetProperty("data", out var data))
            return data;
        return test.TryGetProperty("dataset", out var dataset) && dataset.ValueKind == JsonValueKind.String
            ? datasets[dataset.GetString()!]
            : default;
    }

    private static Dictionary<string, JsonElement>? Bindings(JsonElement test) =>
        test.TryGetProperty("bindings", out var bindings) && bindings.ValueKind == JsonValueKind.Object
            ? bindings.EnumerateObject().ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal)
            : null;

    /// <summary>A case's limit of time is held by one of steps, which does not depend on the machine.</summary>
    private static JsonataLimits Limits(JsonElement test) => test.TryGetProperty("depth", out var depth)
        ? _limits with { DepthMax = depth.GetInt32() }
        : _limits with { DepthMax = 5_000 };

    /// <summary>The members of the error that a case wants; null if it wants none.</summary>
    private static JsonElement? ExpectedError(JsonElement test)
    {
        if (test.TryGetProperty("error", out var error))
            return error;
        return test.TryGetProperty("code", out _) ? test : null;
    }

    private static string? ErrorFailure(JsonElement expected, JsonElement test, JsonataError? error, JsonataValue value)
    {
        string code = expected.GetProperty("code").GetString()!;
        if (error is null)
            return $"gave {(value.IsUndefined ? "nothing" : Text(value))} instead of error {code}";
        if (error.Code != code)
            return $"failed with {error.Code} ({error.Message}) instead of {code}";
        if (expected.TryGetProperty("message", out var message) && error.Message != message.GetString())
            return $"says '{error.Message}' instead of '{message.GetString()}'";
        bool hasToken = test.TryGetProperty("token", out var token) || expected.TryGetProperty("token", out token);
        return hasToken && error.Token != token.ToString()
            ? $"is about '{error.Token}' instead of '{token}'"
            : null;
    }
}
