using System.Text;
using System.Text.Json;
using Duplex.Engine.Schemas;
using Duplex.Engine.Schemas.Values;
using Xunit.Abstractions;

namespace Duplex.Schemas.Tests;

public sealed class JsonParsingSuiteTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("test_parsing")]
    [InlineData("test_transform")]
    public void Every_text_is_refused_at_the_door_or_carried_without_change(string part)
    {
        var suite = Suites.Folder("json-parsing");
        var files = Directory.GetFiles(Path.Combine(suite, part)).Order(StringComparer.Ordinal).ToArray();
        var tally = new SuiteTally($"json-parsing/{part}", new Dictionary<string, string>());
        foreach (var file in files)
        {
            var name = Path.GetFileName(file);
            tally.Add(name.Split('_')[0], name, Failure(name, File.ReadAllBytes(file)));
        }

        tally.Conclude(files.Length, output);
    }

    private static string? Failure(string name, byte[] text)
    {
        var refusal = StrictJson.Check(text);
        if (refusal is not null)
        {
            var repeats = refusal.Message.StartsWith("A member is repeated", StringComparison.Ordinal);
            return name.StartsWith("y_", StringComparison.Ordinal) && !repeats ? $"refused: {refusal.Message}" : null;
        }

        if (name.StartsWith("n_", StringComparison.Ordinal))
            return "accepted";
        var value = JsonElement.Parse(text);
        var again = new MemoryStream();
        using (var writer = new Utf8JsonWriter(again))
            value.WriteTo(writer);
        var carried = JsonElement.Parse(again.ToArray());
        return JsonEquality.AreEqual(value, carried) && Scalars(value).SequenceEqual(Scalars(carried))
            ? null : $"changed into {Encoding.UTF8.GetString(again.ToArray())}";
    }

    private static IEnumerable<string> Scalars(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Scalars),
        JsonValueKind.Object => value.EnumerateObject().SelectMany(m => Scalars(m.Value).Prepend(m.Name)),
        JsonValueKind.String => [value.GetString()!],
        _ => [value.GetRawText()],
    };
}
