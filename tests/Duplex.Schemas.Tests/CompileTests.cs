using System.Text;
using System.Text.Json;
using Duplex.Engine.Schemas;
using Duplex.Sdk;

namespace Duplex.Schemas.Tests;

public sealed class CompileTests
{
    [Theory]
    [InlineData("""{"properties":{"a":{"$ref":"#/$defs/x"}}}""", "/properties/a/$ref", "schema.ref_unknown")]
    [InlineData("""{"$ref":"https://example.com/other"}""", "/$ref", "schema.ref_unknown")]
    [InlineData("""{"$ref":"#nowhere"}""", "/$ref", "schema.ref_unknown")]
    [InlineData("""{"$ref":"#/enum","enum":["x"]}""", "/$ref", "")]
    [InlineData("""{"properties":{"a":{"type":"strnig"}}}""", "/properties/a/type", "schema.invalid")]
    [InlineData("""{"minimum":"3"}""", "/minimum", "schema.invalid")]
    [InlineData("""{"multipleOf":0}""", "/multipleOf", "schema.invalid")]
    [InlineData("""{"required":["a","a"]}""", "/required", "schema.invalid")]
    [InlineData("""{"properties":{"a":3}}""", "/properties/a", "schema.invalid")]
    [InlineData("""{"items":[true]}""", "/items", "schema.invalid")]
    [InlineData("""{"patternProperties":{"(":true}}""", "/patternProperties", "schema.pattern_invalid")]
    [InlineData("""{"$schema":"http://json-schema.org/draft-04/schema#"}""", "/$schema", "schema.draft_unknown")]
    [InlineData("""{"allOf":[{"$ref":"#"}]}""", "", "schema.loop")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}""", null, "schema.loop")]
    [InlineData("""{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}""", "/$defs/b", "schema.anchor_repeated")]
    [InlineData("""{"a":1,"a":2}""", "/a", "schema.unreadable")]
    [InlineData("{", null, "schema.unreadable")]
    [InlineData("3", "", "schema.invalid")]
    public void A_problem_of_the_schema_is_found_with_its_place_and_a_fix(string schema, string? place, string code)
    {
        var result = Compile(schema);
        if (code.Length == 0)
            code = "schema.ref_unknown";
        result.Schema.ShouldBeNull();
        var finding = result.Findings.FirstOrDefault(f => f.Code == code).ShouldNotBeNull(
            string.Join("; ", result.Findings));
        finding.Severity.ShouldBe(FindingSeverity.Error);
        finding.Suggestion.ShouldNotBeNullOrEmpty();
        if (place is not null)
            result.Findings.ShouldContain(f => f.Code == code && f.Path == place, string.Join("; ", result.Findings));
    }

    [Fact]
    public void Every_problem_is_found_at_once()
    {
        var result = Compile("""{"type":"x","properties":{"a":{"pattern":"("},"b":{"$ref":"#/no"}},"minLength":-1}""");
        result.Findings.Select(static f => f.Path)
            .ShouldBe(["/properties/a/pattern", "/properties/b/$ref", "/type", "/minLength"], ignoreOrder: true);
    }

    [Fact]
    public void References_lead_to_documents_of_the_set_and_nowhere_else()
    {
        var set = SchemaSet.Empty.With("https://example.com/id", """{"type":"integer"}"""u8.ToArray())
            .With("https://example.com/x", """{"$id":"https://example.org/own","$defs":{"n":{"$id":"n","type":"null"}}}"""u8.ToArray());
        const string schema = """{"$id":"https://example.com/root","properties":{"id":{"$ref":"id"},"n":{"$ref":"https://example.org/n"}}}""";
        var compiled = JsonSchema.Compile(Encoding.UTF8.GetBytes(schema), set).Schema.ShouldNotBeNull();
        compiled.IsValid(JsonElement.Parse("""{"id":1,"n":null}""")).ShouldBeTrue();
        compiled.IsValid(JsonElement.Parse("""{"id":"1"}""")).ShouldBeFalse();
        compiled.Validate(JsonElement.Parse("""{"n":1}""")).ShouldHaveSingleItem()
            .SchemaPointer.ShouldBe("https://example.com/x#/$defs/n/type");
    }

    [Fact]
    public void A_faulty_document_of_the_set_is_a_problem_of_the_schema_that_refers_to_it()
    {
        var set = SchemaSet.Empty.With("https://example.com/id", """{"type":"integr"}"""u8.ToArray());
        var result = JsonSchema.Compile("""{"$ref":"https://example.com/id"}"""u8.ToArray(), set);
        result.Schema.ShouldBeNull();
        result.Findings.ShouldHaveSingleItem().Path.ShouldBe("https://example.com/id#/type");
    }

    [Fact]
    public void A_document_that_is_no_JSON_is_not_taken_into_a_set() =>
        Should.Throw<SyncException>(() => SchemaSet.Empty.With("u", "{"u8.ToArray())).Message.ShouldContain("'u'");

    [Fact]
    public void The_draft_is_the_one_that_the_schema_names_or_the_one_that_is_usual()
    {
        const string positions = """{"items":[{"type":"null"}]}""";
        Compile(positions).Schema.ShouldBeNull();
        Compile("""{"$schema":"http://json-schema.org/draft-07/schema#",""" + positions[1..]).Schema.ShouldNotBeNull();
        JsonSchema.Compile(Encoding.UTF8.GetBytes(positions), options: new SchemaOptions { Draft = SchemaDraft.Draft7 })
            .Schema.ShouldNotBeNull().IsValid(JsonElement.Parse("[1]")).ShouldBeFalse();
    }

    [Fact]
    public void Format_refuses_only_when_asked_to()
    {
        var text = JsonElement.Parse("\"not-an-email\"");
        var schema = """{"format":"email"}"""u8.ToArray();
        JsonSchema.Compile(schema).Schema!.IsValid(text).ShouldBeTrue();
        JsonSchema.Compile(schema, options: new SchemaOptions { AssertFormat = true }).Schema!.Validate(text)
            .ShouldHaveSingleItem().Message.ShouldBe("'not-an-email' is not a 'email'");
        JsonSchema.Compile("""{"x-assert-format":true,"format":"email"}"""u8.ToArray()).Schema!.IsValid(text).ShouldBeFalse();
        JsonSchema.Compile("""{"x-assert-format":false,"format":"email"}"""u8.ToArray()).Schema!.IsValid(text).ShouldBeTrue();
    }

    [Fact]
    public void A_long_chain_of_references_compiles_and_answers()
    {
        var chain = string.Join(',', Enumerable.Range(0, 5_000)
            .Select(static i => $$$$"""  "d{{{{i}}}}":{"properties":{"a":{"$ref":"#/$defs/d{{{{i + 1}}}}"}}}"""));
        var schema = Compile("""{"$ref":"#/$defs/d0","$defs":{""" + chain + ""","d5000":false}}""").Schema.ShouldNotBeNull();
        schema.IsValid(JsonElement.Parse("""{"a":{"a":{}}}""")).ShouldBeTrue();
    }

    [Fact]
    public void A_schema_that_doubles_its_work_at_every_step_is_given_up()
    {
        var steps = string.Join(',', Enumerable.Range(0, 60).Select(static i =>
            $$"""  "d{{i}}":{"allOf":[{"$ref":"#/$defs/d{{i + 1}}"},{"$ref":"#/$defs/d{{i + 1}}"}]}"""));
        var schema = Compile("""{"$ref":"#/$defs/d0","$defs":{""" + steps + ""","d60":{"minimum":0}}}""").Schema!;
        schema.IsValid(JsonElement.Parse("1")).ShouldBeFalse();
        schema.Validate(JsonElement.Parse("1"))[0].Message.ShouldContain("steps");
    }

    [Fact]
    public void A_deep_instance_is_given_up_and_not_followed_until_the_stack_ends()
    {
        var schema = Compile("""{"items":{"$ref":"#"}}""").Schema!;
        var deep = JsonElement.Parse(new string('[', 5_000) + new string(']', 5_000),
            new JsonDocumentOptions { MaxDepth = 10_000 });
        schema.IsValid(deep).ShouldBeFalse();
        schema.Validate(deep)[0].Message.ShouldContain("too deeply");
    }

    [Fact]
    public void One_schema_serves_many_threads()
    {
        var schema = Compile("""
            {"$ref":"#/$defs/t","$defs":{"t":{"properties":{"n":{"type":"integer","multipleOf":7},
            "p":{"pattern":"^(a|b)+c$"},"k":{"items":{"$ref":"#/$defs/t"}}}}}}
            """).Schema!;
        Parallel.For(0, 2_000, i =>
        {
            var n = i % 2 == 0 ? 14 : 15;
            var instance = JsonElement.Parse($$$"""{"n":7,"p":"abac","k":[{"n":{{{n}}}}]}""");
            schema.IsValid(instance).ShouldBe(i % 2 == 0);
        });
    }

    private static SchemaResult Compile(string schema) => JsonSchema.Compile(Encoding.UTF8.GetBytes(schema));
}
