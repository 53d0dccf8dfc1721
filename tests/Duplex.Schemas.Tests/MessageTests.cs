using System.Text;
using System.Text.Json;
using Duplex.Engine.Schemas;

namespace Duplex.Schemas.Tests;

/// <summary>Existing clients read the sentences of Python's jsonschema 4.10.</summary>
public sealed class MessageTests
{
    [Theory]
    [InlineData("""{"required":["primary_key"]}""", "{}", "'primary_key' is a required property")]
    [InlineData("""{"type":"integer"}""", "\"1\"", "'1' is not of type 'integer'")]
    [InlineData("""{"type":["integer","null"]}""", "1.5", "1.5 is not of type 'integer', 'null'")]
    [InlineData("""{"anyOf":[{"type":"string"},{"minimum":3}]}""", "1",
        "1 is not valid under any of the given schemas")]
    [InlineData("""{"oneOf":[{"type":"number"},{"minimum":0}]}""", "1",
        "1 is valid under each of {'minimum': 0}, {'type': 'number'}")]
    [InlineData("""{"additionalProperties":false}""", """{"x":1}""",
        "Additional properties are not allowed ('x' was unexpected)")]
    [InlineData("""{"properties":{"a":true},"additionalProperties":false}""", """{"y":1,"a":1,"x":1}""",
        "Additional properties are not allowed ('y', 'x' were unexpected)")]
    [InlineData("""{"patternProperties":{"^a":true},"additionalProperties":false}""", """{"y":1,"ab":1,"x":1}""",
        "'x', 'y' do not match any of the regexes: '^a'")]
    [InlineData("""{"enum":["a","b"]}""", "\"x\"", "'x' is not one of ['a', 'b']")]
    [InlineData("""{"const":{"a":[1,null]}}""", "true", "{'a': [1, None]} was expected")]
    [InlineData("""{"minimum":0}""", "-1", "-1 is less than the minimum of 0")]
    [InlineData("""{"exclusiveMinimum":0}""", "0", "0 is less than or equal to the minimum of 0")]
    [InlineData("""{"maximum":1.5}""", "2", "2 is greater than the maximum of 1.5")]
    [InlineData("""{"exclusiveMaximum":2}""", "2.0", "2.0 is greater than or equal to the maximum of 2")]
    [InlineData("""{"multipleOf":0.01}""", "0.001", "0.001 is not a multiple of 0.01")]
    [InlineData("""{"pattern":"^[A-Z]{3}$"}""", "\"usd\"", "'usd' does not match '^[A-Z]{3}$'")]
    [InlineData("""{"pattern":"^\\d$"}""", "\"a\\n\"", @"'a\n' does not match '^\\d$'")]
    [InlineData("""{"minLength":2}""", "\"a\"", "'a' is too short")]
    [InlineData("""{"maxLength":1}""", "\"ab\"", "'ab' is too long")]
    [InlineData("""{"minItems":1}""", "[]", "[] is too short")]
    [InlineData("""{"maxItems":1}""", "[1,true]", "[1, True] is too long")]
    [InlineData("""{"uniqueItems":true}""", "[1,1.0]", "[1, 1.0] has non-unique elements")]
    [InlineData("""{"minProperties":1}""", "{}", "{} does not have enough properties")]
    [InlineData("""{"maxProperties":1}""", """{"a":1,"b":"c"}""", "{'a': 1, 'b': 'c'} has too many properties")]
    [InlineData("""{"not":{"type":"null"}}""", "null", "None should not be valid under {'type': 'null'}")]
    [InlineData("""{"contains":{"type":"null"}}""", "[1]", "[1] does not contain items matching the given schema")]
    [InlineData("""{"contains":{"type":"null"},"minContains":2}""", "[null]",
        "Too few items match the given schema (expected at least 2 but only 1 matched)")]
    [InlineData("""{"contains":true,"maxContains":1}""", "[1,2]",
        "Too many items match the given schema (expected at most 1)")]
    [InlineData("""{"prefixItems":[true],"items":false}""", "[1,2]", "Expected at most 1 items, but found 2")]
    [InlineData("""{"dependentRequired":{"a":["b"]}}""", """{"a":1}""", "'b' is a dependency of 'a'")]
    [InlineData("""{"unevaluatedProperties":false}""", """{"a":1}""",
        "Unevaluated properties are not allowed ('a' was unexpected)")]
    [InlineData("""{"unevaluatedItems":false}""", "[1]", "Unevaluated items are not allowed (1 was unexpected)")]
    [InlineData("false", "\"it's\"", "False schema does not allow \"it's\"")]
    public void Each_keyword_has_its_sentence(string schema, string instance, string sentence)
    {
        var errors = Compile(schema).Validate(JsonElement.Parse(instance));
        errors.ShouldHaveSingleItem().Message.ShouldBe(sentence);
        JsonSchema.MostRelevant(errors).ShouldBe(errors[0]);
    }

    [Theory]
    [InlineData("""{"contains":{"type":"null"}}""", "[1]", "None of [1] are valid under the given schema")]
    [InlineData("""{"items":[true],"additionalItems":false}""", "[1,\"a\",2]",
        "Additional items are not allowed ('a', 2 were unexpected)")]
    [InlineData("""{"dependencies":{"a":["b"]}}""", """{"a":1}""", "'b' is a dependency of 'a'")]
    public void Draft_07_has_its_own_sentences(string schema, string instance, string sentence) =>
        Compile(schema, SchemaDraft.Draft7).Validate(JsonElement.Parse(instance)).ShouldHaveSingleItem()
            .Message.ShouldBe(sentence);

    [Theory]
    [InlineData("1.0", "1.0")]
    [InlineData("1e5", "100000.0")]
    [InlineData("1e16", "1e+16")]
    [InlineData("1234567890123456.0", "1234567890123456.0")]
    [InlineData("0.0001", "0.0001")]
    [InlineData("0.00001", "1e-05")]
    [InlineData("1.5e-7", "1.5e-07")]
    [InlineData("1.10", "1.1")]
    [InlineData("-0.0", "-0.0")]
    [InlineData("1e400", "inf")]
    [InlineData("-1e400", "-inf")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("\"a'b\"", "\"a'b\"")]
    [InlineData("\"a'b\\\"c\"", "'a\\'b\"c'")]
    [InlineData("\"\\u0007\\t\\\\\\u00a0é\\u200b😀\\u007f\"", @"'\x07\t\\\xa0é\u200b😀\x7f'")]
    [InlineData("""[{"a":[]},{}]""", "[{'a': []}, {}]")]
    public void Values_are_written_as_Python_writes_them(string value, string written) =>
        Compile("""{"not":{}}""").Validate(JsonElement.Parse(value)).ShouldHaveSingleItem()
            .Message.ShouldBe($"{written} should not be valid under {{}}");

    [Fact]
    public void A_huge_value_is_cut_short_in_the_sentence()
    {
        var huge = JsonElement.Parse($"\"{new string('x', 1_000_000)}\"");
        Compile("""{"maxLength":5}""").Validate(huge)[0].Message.Length.ShouldBeLessThan(20_000);
    }

    [Fact]
    public void Errors_name_the_place_in_the_instance_and_in_the_schema()
    {
        var schema = Compile("""{"properties":{"a/b":{"items":{"$ref":"#/$defs/n"}}},"$defs":{"n":{"type":"null"}}}""");
        var error = schema.Validate(JsonElement.Parse("""{"a/b":[null,1]}""")).ShouldHaveSingleItem();
        error.InstancePointer.ShouldBe("/a~1b/1");
        error.Keyword.ShouldBe("type");
        error.SchemaPointer.ShouldBe("/$defs/n/type");
    }

    [Theory]
    // The shallowest error wins, a plain keyword before anyOf, the first of equals.
    [InlineData("""{"properties":{"a":{"type":"string"}},"required":["b"]}""", """{"a":1}""", "required")]
    [InlineData("""{"anyOf":[{"required":["x"]},{"required":["y"]}],"required":["b"]}""", "{}", "required")]
    [InlineData("""{"minimum":3,"type":"string"}""", "1", "minimum")]
    // Below anyOf the deepest error is the best one, and the anyOf itself when two are equal.
    [InlineData("""{"anyOf":[{"type":"string"},{"properties":{"a":{"minimum":3}}}]}""", """{"a":1}""", "minimum")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"null"}]}""", "1", "anyOf")]
    [InlineData("""{"oneOf":[{"type":"string"}]}""", "1", "type")]
    public void The_most_relevant_error_is_the_best_match(string schema, string instance, string keyword)
    {
        var errors = Compile(schema).Validate(JsonElement.Parse(instance));
        JsonSchema.MostRelevant(errors).ShouldNotBeNull().Keyword.ShouldBe(keyword);
    }

    [Fact]
    public void Without_errors_none_is_relevant() => JsonSchema.MostRelevant([]).ShouldBeNull();

    [Fact]
    public void No_more_errors_are_collected_than_asked_for()
    {
        var schema = Compile("""{"items":{"type":"string"}}""");
        var instance = JsonElement.Parse($"[{string.Join(',', Enumerable.Range(0, 1000))}]");
        schema.Validate(instance).Count.ShouldBe(100);
        schema.Validate(instance, 3).Count.ShouldBe(3);
    }

    private static JsonSchema Compile(string schema, SchemaDraft draft = SchemaDraft.Draft202012)
    {
        var result = JsonSchema.Compile(Encoding.UTF8.GetBytes(schema), options: new SchemaOptions { Draft = draft });
        result.Findings.ShouldBeEmpty();
        return result.Schema.ShouldNotBeNull();
    }
}
