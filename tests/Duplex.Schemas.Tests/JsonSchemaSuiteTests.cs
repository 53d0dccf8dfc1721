using System.Text;
using System.Text.Json;
using Duplex.Engine.Schemas;
using Xunit.Abstractions;

namespace Duplex.Schemas.Tests;

public sealed class JsonSchemaSuiteTests(ITestOutputHelper output)
{
    private const string RemoteBase = "http://localhost:1234/";

    [SkippableTheory]
    [InlineData("draft2020-12")]
    [InlineData("draft7")]
    public void Every_required_case_passes(string draft) => Run(draft, "required", "*.json", recurse: false);

    [SkippableTheory]
    [InlineData("draft2020-12")]
    [InlineData("draft7")]
    public void Every_optional_case_passes_or_is_waived_with_its_reason(string draft) =>
        Run(draft, "optional", "optional/*.json", recurse: false);

    [SkippableTheory]
    [InlineData("draft2020-12")]
    [InlineData("draft7")]
    public void Every_format_case_passes_or_is_waived_with_its_reason(string draft) =>
        Run(draft, "format", "optional/format/*.json", recurse: true);

    private void Run(string draft, string part, string pattern, bool recurse)
    {
        var suite = Suites.Folder("json-schema");
        var folder = Path.Combine(suite, "tests", draft, Path.GetDirectoryName(pattern) ?? "");
        var files = Directory.Exists(folder)
            ? Directory.GetFiles(folder, "*.json", recurse ? SearchOption.AllDirectories
                : SearchOption.TopDirectoryOnly).Order(StringComparer.Ordinal).ToArray()
            : [];
        var known = Remotes(Path.Combine(suite, "remotes"));
        var tally = new SuiteTally($"json-schema/{draft}/{part}", SuiteWaivers.Of(draft));
        var found = 0;
        foreach (var file in files)
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            var group = Path.GetFileNameWithoutExtension(file);
            foreach (var scenario in document.RootElement.EnumerateArray())
            {
                found += scenario.GetProperty("tests").GetArrayLength();
                var assertFormat = part == "format" && group != "unknown";
                RunScenario(tally, (draft, part, group), scenario, known, assertFormat);
            }
        }

        tally.Conclude(found, output);
    }

    private static void RunScenario(SuiteTally tally, (string Draft, string Part, string Group) at,
        JsonElement scenario, SchemaSet known, bool assertFormat)
    {
        var options = new SchemaOptions
        {
            Draft = at.Draft == "draft7" ? SchemaDraft.Draft7 : SchemaDraft.Draft202012,
            AssertFormat = assertFormat,
        };
        var schema = scenario.GetProperty("schema");
        var compiled = JsonSchema.Compile(Encoding.UTF8.GetBytes(schema.GetRawText()), known, options);
        foreach (var test in scenario.GetProperty("tests").EnumerateArray())
        {
            var name = $"{at.Group}: {scenario.GetProperty("description")}: {test.GetProperty("description")}";
            tally.Add(at.Group, name, Failure(compiled, test));
        }
    }

    private static string? Failure(SchemaResult compiled, JsonElement test)
    {
        if (compiled.Schema is not { } schema)
            return "does not compile: " + string.Join(" ", compiled.Findings.Select(f => $"{f.Path} {f.Message}"));
        var wanted = test.GetProperty("valid").GetBoolean();
        var data = test.GetProperty("data");
        var errors = schema.Validate(data);
        if (schema.IsValid(data) != wanted)
            return wanted ? $"refused: {errors[0].Message}" : "accepted";
        return errors.Count == 0 == wanted ? null : "the errors do not agree with the answer";
    }

    private static SchemaSet Remotes(string folder) => SchemaSet.Empty.With(
        Directory.GetFiles(folder, "*.json", SearchOption.AllDirectories)
            .Select(f => KeyValuePair.Create(
                RemoteBase + Path.GetRelativePath(folder, f).Replace('\\', '/'),
                (ReadOnlyMemory<byte>)File.ReadAllBytes(f))));
}
