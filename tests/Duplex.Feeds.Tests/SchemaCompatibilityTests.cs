using System.Text.Json;
using Duplex.Engine.Registry;
using Duplex.Sdk;

namespace Duplex.Feeds.Tests;

/// <summary>A schema must accept what its predecessor accepts.</summary>
public sealed class SchemaCompatibilityTests
{
    [Theory]
    [InlineData("""{"type":"object"}""", """{"type":"object"}""")]
    [InlineData("""{"type":"integer"}""", """{"type":"number"}""")]
    [InlineData("""{"type":"string"}""", """{"type":["string","null"]}""")]
    [InlineData("""{"type":"string","maxLength":5}""", """{"type":"string","maxLength":9}""")]
    [InlineData("""{"enum":["a"]}""", """{"enum":["a","b"]}""")]
    [InlineData("""{"enum":["a"]}""", """{"type":"string"}""")]
    [InlineData("""{"const":1}""", """{"enum":[1,2]}""")]
    [InlineData("""{"required":["a","b"]}""", """{"required":["a"]}""")]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", """{"properties":{"a":{"type":"string","title":"A"},"b":{"type":"integer"}}}""")]
    [InlineData("""{"additionalProperties":false,"properties":{"a":{}}}""", """{"additionalProperties":false,"properties":{"a":{},"b":{"type":"integer"}}}""")]
    [InlineData("""{"type":"string","minLength":3}""", """{"type":"string","minLength":0}""")]
    [InlineData("""{"type":"integer","multipleOf":6}""", """{"type":"integer","multipleOf":3}""")]
    [InlineData("""{"type":"string"}""", """{"type":"string","maximum":3}""")]
    [InlineData("""{"items":{"type":"integer"}}""", """{"items":{"type":"number"}}""")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"type":"integer"}}}""", """{"type":"number"}""")]
    [InlineData("""{"properties":{"n":{"$ref":"#"}}}""", """{"properties":{"n":{"$ref":"#"}},"title":"t"}""")]
    [InlineData("""{"not":{"type":"null"}}""", """{}""")]
    [InlineData("""{"type":"integer"}""", """{"anyOf":[{"type":"string"},{"type":"number"}]}""")]
    [InlineData("""{"type":"integer","maximum":3}""", """{"allOf":[{"type":"integer"},{"maximum":4}]}""")]
    [InlineData("false", """{"type":"string"}""")]
    public void What_accepts_as_much_is_compatible(string before, string after) =>
        Errors(before, after).ShouldBeEmpty();

    [Theory]
    [InlineData("{}", """{"type":"object"}""", "/type", "schema.narrowed")]
    [InlineData("""{"type":"number"}""", """{"type":"integer"}""", "/type", "schema.narrowed")]
    [InlineData("""{"type":["string","null"]}""", """{"type":"string"}""", "/type", "schema.narrowed")]
    [InlineData("""{"type":"object"}""", """{"type":"object","required":["a"]}""", "/required", "schema.narrowed")]
    [InlineData("""{"enum":["a","b"]}""", """{"enum":["a"]}""", "/enum", "schema.narrowed")]
    [InlineData("""{"type":"string"}""", """{"type":"string","enum":["a"]}""", "/enum", "schema.narrowed")]
    [InlineData("""{"enum":[1,2]}""", """{"const":1}""", "/const", "schema.narrowed")]
    [InlineData("""{"type":"object"}""", """{"type":"object","additionalProperties":false}""", "/additionalProperties", "schema.narrowed")]
    [InlineData("""{"additionalProperties":false,"properties":{"a/b":{}}}""", """{"additionalProperties":false}""", "/properties/a~1b", "schema.narrowed")]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", """{"properties":{"a":{"type":"integer"}}}""", "/properties/a/type", "schema.narrowed")]
    [InlineData("""{"type":"string","maxLength":9}""", """{"type":"string","maxLength":5}""", "/maxLength", "schema.narrowed")]
    [InlineData("""{"type":"string"}""", """{"type":"string","minLength":1}""", "/minLength", "schema.narrowed")]
    [InlineData("""{"type":"integer","multipleOf":2}""", """{"type":"integer","multipleOf":4}""", "/multipleOf", "schema.narrowed")]
    [InlineData("""{"type":"string"}""", """{"type":"string","pattern":"^a"}""", "/pattern", "schema.narrowed")]
    [InlineData("""{"type":"string","pattern":"^a"}""", """{"type":"string","pattern":"^[ab]"}""", "/pattern", "schema.undecidable")]
    [InlineData("""{"type":"array"}""", """{"type":"array","uniqueItems":true}""", "/uniqueItems", "schema.narrowed")]
    [InlineData("""{"items":{"type":"number"}}""", """{"items":{"type":"integer"}}""", "/items/type", "schema.narrowed")]
    [InlineData("""{"oneOf":[{"type":"null"}]}""", """{"oneOf":[{"type":"null"},{"type":"string"}]}""", "/oneOf", "schema.undecidable")]
    [InlineData("{}", """{"not":{"type":"null"}}""", "/not", "schema.narrowed")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"type":"number"}}}""",
        """{"$ref":"#/$defs/a","$defs":{"a":{"type":"integer"}}}""", "/type", "schema.narrowed")]
    [InlineData("""{"$ref":"other.json"}""", """{"type":"object"}""", "", "schema.undecidable")]
    [InlineData("""{"type":"string"}""", "false", "", "schema.narrowed")]
    [InlineData("true", """{"type":"string"}""", "/type", "schema.narrowed")]
    [InlineData("""{"format":"email"}""", """{"format":"email","x-assert-format":true}""", "/x-assert-format", "schema.narrowed")]
    public void What_refuses_more_or_may_do_so_is_not(string before, string after, string path, string code)
    {
        var errors = Errors(before, after);
        errors.ShouldContain(f => f.Path == path && f.Code == code,
            string.Join(" | ", errors.Select(static f => $"{f.Path} {f.Code} {f.Message}")));
    }

    [Fact]
    public void Every_narrowing_is_named()
    {
        Errors("""{"type":"object","properties":{"a":{"type":"string"},"b":{"enum":[1,2]}}}""",
            """{"type":"object","required":["a","b"],"additionalProperties":false,"properties":{"a":{"type":"string","maxLength":3},"b":{"enum":[1]}}}""")
            .Select(static f => f.Path).ShouldBe(
                ["/required", "/required", "/properties/a/maxLength", "/properties/b/enum", "/additionalProperties"], ignoreOrder: true);
    }

    [Fact]
    public void A_hostile_pair_of_schemas_ends()
    {
        var text = """{"type":"integer"}""";
        for (var depth = 0; depth < 12; depth++)
        {
            text = $$"""{"anyOf":[{{text}},{"anyOf":[{{text}}]}],"title":"{{depth}}"}""";
        }

        Errors(text, text.Replace("\"title\":\"0\"", "\"title\":\"x\"", StringComparison.Ordinal)
            .Replace("integer", "string", StringComparison.Ordinal)).ShouldNotBeEmpty();
    }

    private static IReadOnlyList<Finding> Errors(string before, string after) =>
        [.. SchemaCompatibility.Compare(JsonElement.Parse(before), JsonElement.Parse(after))
            .Where(static f => f.Severity == FindingSeverity.Error)];
}
