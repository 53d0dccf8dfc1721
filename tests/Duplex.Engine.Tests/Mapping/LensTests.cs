using System.Text.Json;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;

namespace Duplex.Engine.Tests.Mapping;

public sealed class LensTests
{
    [Theory]
    [InlineData("{ a: name, b: name }", """{"name":"Ann"}""", """{"name":"Ann"}""")]
    [InlineData("{ a: name, b: name }", """{"name":null}""", """{"name":null}""")]
    [InlineData("{ a: name, b: name }", """{"name":""}""", """{"name":""}""")]
    [InlineData("{ a: name, b: name }", "{}", "{}")]
    [InlineData("{ a: name, b: name, via: trim }", """{"name":"  Ann\t"}""", """{"name":"Ann"}""")]
    [InlineData("{ a: email, b: email, via: [ trim, lowercase ] }", """{"email":" ÄNN@X.com"}""",
        """{"email":"änn@x.com"}""")]
    [InlineData("{ a: email, b: email, via: uppercase }", """{"email":"ann"}""", """{"email":"ANN"}""")]
    [InlineData("{ a: name, b: address.city }", """{"name":"Ulm"}""", """{"address":{"city":"Ulm"}}""")]
    [InlineData("{ a: extra.deep.city, b: name }", """{"extra":{"deep":{"city":"Ulm"}}}""", """{"name":"Ulm"}""")]
    [InlineData("{ a: name, b: metadata.name, via: { prefix: eu- } }", """{"name":"7"}""",
        """{"metadata":{"name":"eu-7"}}""")]
    [InlineData("{ a: name, b: metadata.name, via: { suffix: '!' } }", """{"name":"7"}""",
        """{"metadata":{"name":"7!"}}""")]
    [InlineData("{ a: plan, b: metadata.plan, via: { enum: { free: F, pro: P } } }", """{"plan":"pro"}""",
        """{"metadata":{"plan":"P"}}""")]
    [InlineData("{ a: plan, b: name, via: { default: free } }", """{"plan":null}""", """{"name":"free"}""")]
    [InlineData("{ a: plan, b: name, via: { default: free } }", "{}", """{"name":"free"}""")]
    [InlineData("{ a: plan, b: name, via: { default: free } }", """{"plan":"pro"}""", """{"name":"pro"}""")]
    [InlineData("{ b: metadata.source, via: { constant: 5 } }", "{}", """{"metadata":{"source":"5"}}""")]
    [InlineData("{ a: visits, b: metadata.visits }", """{"visits":12345678901234567890123}""",
        """{"metadata":{"visits":"12345678901234567890123"}}""")]
    [InlineData("{ a: balance, b: metadata.balance }", """{"balance":1.50}""", """{"metadata":{"balance":"1.50"}}""")]
    [InlineData("{ a: active, b: metadata.active }", """{"active":true}""", """{"metadata":{"active":"true"}}""")]
    [InlineData("{ a: extra, b: metadata.extra }", """{"extra":7}""", """{"metadata":{"extra":"7"}}""")]
    public void A_value_of_A_reaches_B_in_the_form_of_the_rule(string rule, string record, string expected) =>
        MappingSamples.Carry(MappingSamples.Rule(rule), Side.A, record).ShouldBe(expected);

    [Theory]
    [InlineData("{ a: plan, b: metadata.plan, via: { enum: { free: F, pro: P } } }", """{"metadata":{"plan":"F"}}""",
        """{"plan":"free"}""")]
    [InlineData("{ a: plan, b: metadata.plan, via: { enum: { free: F, pro: P } } }", """{"metadata":{}}""",
        """{"plan":null}""")]
    [InlineData("{ a: plan, b: metadata.plan, via: { enum: { free: F, pro: P } } }", """{"name":"x"}""", "{}")]
    [InlineData("{ a: visits, b: metadata.visits }", """{"metadata":{"visits":"7"}}""", """{"visits":7}""")]
    [InlineData("{ a: visits, b: metadata.visits }", """{"metadata":{"visits":""}}""", """{"visits":null}""")]
    [InlineData("{ a: balance, b: metadata.balance }", """{"metadata":{"balance":"1.50"}}""", """{"balance":1.50}""")]
    [InlineData("{ a: active, b: metadata.active }", """{"metadata":{"active":"false"}}""", """{"active":false}""")]
    [InlineData("{ a: name, b: metadata.name, via: { prefix: eu- } }", """{"metadata":{"name":"eu-7"}}""",
        """{"name":"7"}""")]
    [InlineData("{ a: name, b: address.city }", """{"address":null}""", """{"name":null}""")]
    [InlineData("{ a: first, b: name, via: { default: { a: free, b: none } } }", """{"name":null}""",
        """{"first":"free"}""")]
    public void A_value_of_B_comes_back_to_A(string rule, string record, string expected) =>
        MappingSamples.Carry(MappingSamples.Rule(rule), Side.B, record).ShouldBe(expected);

    [Theory]
    [InlineData("{ a: plan, b: metadata.plan, via: { enum: { free: F, pro: P } } }", Side.A, """{"plan":"secret"}""")]
    [InlineData("{ a: plan, b: metadata.plan, via: { enum: { free: F, pro: P } } }", Side.B,
        """{"metadata":{"plan":"secret"}}""")]
    [InlineData("{ a: visits, b: metadata.visits }", Side.B, """{"metadata":{"visits":"secret"}}""")]
    [InlineData("{ a: visits, b: metadata.visits }", Side.B, """{"metadata":{"visits":"1.5"}}""")]
    [InlineData("{ a: active, b: metadata.active }", Side.B, """{"metadata":{"active":"secret"}}""")]
    [InlineData("{ a: name, b: name, via: trim }", Side.A, """{"name":{"secret":1}}""")]
    [InlineData("{ a: name, b: name }", Side.A, """{"name":"secret secret secret secret"}""")]
    [InlineData("{ a: name, b: lang }", Side.A, """{"name":"secret"}""")]
    [InlineData("{ a: name, b: name, via: lowercase }", Side.A, """{"name":"SECRET\ud800"}""")]
    [InlineData("{ a: name, b: metadata.name, via: { prefix: eu- } }", Side.B, """{"metadata":{"name":"secret"}}""")]
    [InlineData("{ a: name, b: name }", Side.A, """{"name":"SECRET\udc00"}""")]
    [InlineData("{ a: extra, b: metadata.x, via: json }", Side.A, """{"extra":["SECRET\ud800"]}""")]
    [InlineData("{ a: extra, b: metadata }", Side.A, """{"extra":{"SECRET\ud800":1}}""")]
    [InlineData("{ a: [first, last], b: name, via: { join: ' ' } }", Side.A, """{"first":"SECRET\ud800","last":"x"}""")]
    [InlineData("{ a: name, b: metadata.x, via: empty_as_null }", Side.A, """{"name":"\ud800"}""")]
    [InlineData("{ a: plan, b: name, via: { enum: { free: F } } }", Side.A, """{"plan":"\ud800"}""")]
    public void A_value_without_a_form_on_the_other_side_is_a_problem_that_names_the_rule_and_not_the_value(
        string rule, Side from, string record)
    {
        var outcome = MappingSamples.Carry(MappingSamples.Rule(rule), from, record);

        outcome.ShouldStartWith("! ");
        outcome.ToLowerInvariant().ShouldNotContain("secret");
    }

    [Fact]
    public void Unchanged_absent_null_and_empty_stay_four_things()
    {
        var rule = MappingSamples.Rule("{ a: name, b: name }");
        var record = JsonElement.Parse("""{"email":"x"}""");

        rule.Read(Side.A, record, ["name"]).State.ShouldBe(FieldState.Unchanged);
        rule.Read(Side.A, record, []).State.ShouldBe(FieldState.Absent);
        rule.Read(Side.A, JsonElement.Parse("""{"name":null}"""), []).State.ShouldBe(FieldState.Null);
        rule.Read(Side.A, JsonElement.Parse("""{"name":""}"""), []).State.ShouldBe(FieldState.Present);
        FieldValue[] all =
            [FieldValue.Unchanged, FieldValue.Absent, FieldValue.Null, FieldValue.Of(JsonElement.Parse("\"\""))];
        foreach (var left in all)
        {
            foreach (var right in all)
            {
                rule.Same(Side.A, left, right).ShouldBe(left.State == right.State);
            }

            rule.TryMap(Side.A, left, out var mapped, out _).ShouldBeTrue();
            mapped.State.ShouldBe(left.State);
        }
    }

    [Theory]
    [InlineData("{ a: balance, b: metadata.x }", Side.A, "1.50", "1.5", true)]
    [InlineData("{ a: balance, b: metadata.x }", Side.A, "1e2", "100.0", true)]
    [InlineData("{ a: balance, b: metadata.x }", Side.A, "0.10000000000000000000000000001", "0.1", false)]
    [InlineData("{ a: balance, b: metadata.x }", Side.B, "\"1.50\"", "\"1.5\"", true)]
    [InlineData("{ a: balance, b: metadata.x }", Side.A, "\"NaN\"", "\"NaN\"", true)]
    [InlineData("{ a: balance, b: metadata.x }", Side.A, "-0", "0.00", true)]
    [InlineData("{ a: balance, b: metadata.x }", Side.A, "\"NaN\"", "5", false)]
    [InlineData("{ a: balance, b: metadata.x }", Side.A, "\"5.0\"", "5", true)]
    [InlineData("{ a: seen_at, b: opened_at }", Side.A, "\"2026-01-31 12:00:00+00\"", "\"2026-01-31T13:00:00+01:00\"",
        true)]
    [InlineData("{ a: seen_at, b: opened_at }", Side.A, "\"2026-01-31 12:00:00+00\"", "\"2026-01-31T12:00:00.1Z\"",
        false)]
    [InlineData("{ a: seen_at, b: opened_at }", Side.A, "\"infinity\"", "\"infinity\"", true)]
    [InlineData("{ a: extra, b: metadata.x }", Side.A, """{"a":1,"b":2}""", """{"b":2,"a":1.0}""", true)]
    [InlineData("{ a: email, b: email, via: lowercase }", Side.A, "\"Ann@X\"", "\"ann@x\"", true)]
    [InlineData("{ a: email, b: email, via: lowercase }", Side.B, "\"Ann@X\"", "\"ann@x\"", true)]
    [InlineData("{ a: email, b: email }", Side.A, "\"Ann@X\"", "\"ann@x\"", false)]
    [InlineData("{ a: name, b: metadata.x }", Side.A, "\"\"", "null", true)]
    [InlineData("{ a: name, b: name }", Side.A, "\"a\\u0062\"", "\"ab\"", true)]
    public void Values_that_mean_the_same_are_the_same(string rule, Side side, string left, string right, bool same)
    {
        var compiled = MappingSamples.Rule(rule);
        var l = FieldValue.Of(JsonElement.Parse(left));
        var r = FieldValue.Of(JsonElement.Parse(right));

        compiled.Same(side, l, r).ShouldBe(same);
        compiled.Same(side, r, l).ShouldBe(same);
    }

    [Fact]
    public void A_missing_metadata_key_is_null_and_a_missing_field_is_not()
    {
        var rule = MappingSamples.Rule("{ a: name, b: metadata.name }");

        rule.Same(Side.B, FieldValue.Absent, FieldValue.Null).ShouldBeTrue();
        MappingSamples.Rule("{ a: name, b: name }").Same(Side.B, FieldValue.Absent, FieldValue.Null).ShouldBeFalse();
    }

    [Fact]
    public void A_rule_is_known_by_its_paths()
    {
        var rule = MappingSamples.Rule("{ b: metadata.source, via: { constant: shop } }");

        rule.Name.ShouldBe("metadata.source");
        rule.ShadowName(Side.A).ShouldBe("");
        rule.ShadowName(Side.B).ShouldBe("metadata.source");
        rule.Flows(Side.A).ShouldBeTrue();
        rule.Flows(Side.B).ShouldBeFalse();
    }
}
