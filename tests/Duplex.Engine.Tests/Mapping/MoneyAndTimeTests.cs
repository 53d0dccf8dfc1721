using Duplex.Engine.State;

namespace Duplex.Engine.Tests.Mapping;

public sealed class MoneyAndTimeTests
{
    [Theory]
    [InlineData("2", "19.99", "1999")]
    [InlineData("2", "19", "1900")]
    [InlineData("2", "-0.05", "-5")]
    [InlineData("2", "0", "0")]
    [InlineData("2", "1e2", "10000")]
    [InlineData("EUR", "0.1", "10")]
    [InlineData("jpy", "1200", "1200")]
    [InlineData("KWD", "1.234", "1234")]
    [InlineData("2", "123456789012345678901234567890.12", "12345678901234567890123456789012")]
    [InlineData("{ digits: 2, round: half_up }", "0.125", "13")]
    [InlineData("{ digits: 2, round: half_even }", "0.125", "12")]
    [InlineData("{ digits: 2, round: half_even }", "0.1350", "14")]
    [InlineData("{ digits: 2, round: half_even }", "0.1251", "13")]
    [InlineData("{ digits: 2, round: down }", "-0.129", "-12")]
    [InlineData("{ digits: 2, round: half_up }", "0.0049", "0")]
    [InlineData("{ digits: 2, round: half_up }", "9.995", "1000")]
    [InlineData("{ currency: JPY, round: half_up }", "-99.5", "-100")]
    public void An_amount_becomes_minor_units_exactly(string argument, string amount, string units)
    {
        var rule = MappingSamples.Rule($"{{ a: balance, b: balance, via: {{ minor_units: {argument} }} }}");

        MappingSamples.Carry(rule, Side.A, $"{{\"balance\":{amount}}}").ShouldBe($"{{\"balance\":{units}}}");
    }

    [Theory]
    [InlineData("2", "1999", "19.99")]
    [InlineData("2", "1900", "19.00")]
    [InlineData("2", "-5", "-0.05")]
    [InlineData("2", "0", "0.00")]
    [InlineData("JPY", "1200", "1200")]
    [InlineData("BHD", "1", "0.001")]
    public void Minor_units_become_an_amount_with_its_decimals(string argument, string units, string amount)
    {
        var rule = MappingSamples.Rule($"{{ a: balance, b: balance, via: {{ minor_units: {argument} }} }}");

        MappingSamples.Carry(rule, Side.B, $"{{\"balance\":{units}}}").ShouldBe($"{{\"balance\":{amount}}}");
    }

    [Theory]
    [InlineData(Side.A, "12.345")]
    [InlineData(Side.A, "\"NaN\"")]
    [InlineData(Side.A, "1e-999999999")]
    [InlineData(Side.A, "1e999999")]
    [InlineData(Side.A, "true")]
    [InlineData(Side.B, "1.5")]
    [InlineData(Side.B, "\"x\"")]
    public void What_is_no_exact_amount_is_a_problem(Side from, string value) => MappingSamples.Carry(
        MappingSamples.Rule("{ a: balance, b: balance, via: { minor_units: 2 } }"), from, $"{{\"balance\":{value}}}")
            .ShouldStartWith("! ");

    [Theory]
    [InlineData(Side.A, """{"balance":19.99,"currency":"EUR"}""", """{"balance":1999,"currency":"eur"}""")]
    [InlineData(Side.A, """{"balance":1999,"currency":"jpy"}""", """{"balance":1999,"currency":"jpy"}""")]
    [InlineData(Side.A, """{"balance":1.5,"currency":"KWD"}""", """{"balance":1500,"currency":"kwd"}""")]
    [InlineData(Side.A, """{"balance":null,"currency":"KWD"}""", """{"balance":null,"currency":"kwd"}""")]
    [InlineData(Side.A, """{"balance":null,"currency":null}""", """{"balance":null,"currency":null}""")]
    [InlineData(Side.B, """{"balance":1999,"currency":"eur"}""", """{"balance":19.99,"currency":"EUR"}""")]
    [InlineData(Side.B, """{"balance":1999,"currency":"isk"}""", """{"balance":19.99,"currency":"ISK"}""")]
    [InlineData(Side.A, """{"balance":1,"currency":"euro"}""", "!")]
    [InlineData(Side.A, """{"balance":1,"currency":null}""", "!")]
    [InlineData(Side.A, """{"balance":1.5,"currency":"JPY"}""", "!")]
    public void The_currency_of_the_record_decides_the_digits(Side from, string record, string expected)
    {
        var rule = MappingSamples.Rule(
            "{ a: [balance, currency], b: [balance, currency], via: { minor_units: by_currency } }");

        MappingSamples.Carry(rule, from, record).ShouldStartWith(expected);
    }

    [Theory]
    [InlineData("{ a: seen_at, b: trial_end, via: unix_seconds }", """{"seen_at":"2026-01-31 12:00:00+00"}""",
        """{"trial_end":1769860800}""")]
    [InlineData("{ a: seen_at, b: trial_end, via: unix_seconds }", """{"seen_at":"2026-01-31 12:00:00.999+01"}""",
        """{"trial_end":1769857200}""")]
    [InlineData("{ a: seen_at, b: trial_end, via: unix_seconds }", """{"seen_at":"1969-12-31 23:59:58.5Z"}""",
        """{"trial_end":-2}""")]
    [InlineData("{ a: seen_at, b: balance, via: unix_millis }", """{"seen_at":"2026-01-31T12:00:00.5Z"}""",
        """{"balance":1769860800500}""")]
    [InlineData("{ a: met_at, b: trial_end, via: { unix_seconds: { zone: Europe/Berlin } } }",
        """{"met_at":"2026-07-01 02:00:00"}""", """{"trial_end":1782864000}""")]
    [InlineData("{ a: born, b: trial_end, via: unix_seconds }", """{"born":"1970-01-02"}""", """{"trial_end":86400}""")]
    [InlineData("{ a: seen_at, b: metadata.seen, via: timestamp }",
        """{"seen_at":"2026-01-31 12:00:00.25+05:30"}""", """{"metadata":{"seen":"2026-01-31T06:30:00.25Z"}}""")]
    [InlineData("{ a: born, b: birthday, via: { time_format: dd.MM.yyyy } }", """{"born":"2024-02-29"}""",
        """{"birthday":"29.02.2024"}""")]
    [InlineData("{ a: born, b: metadata.born }", """{"born":"2024-02-29"}""", """{"metadata":{"born":"2024-02-29"}}""")]
    [InlineData("{ a: visits, b: opened_at, via: from_unix_seconds }", """{"visits":0}""",
        """{"opened_at":"1970-01-01T00:00:00Z"}""")]
    [InlineData("{ a: seen_at, b: trial_end, via: unix_seconds }", """{"seen_at":"infinity"}""", "!")]
    [InlineData("{ a: seen_at, b: trial_end, via: unix_seconds }", """{"seen_at":"2026-01-31 12:00:00"}""", "!")]
    [InlineData("{ a: met_at, b: trial_end, via: { unix_seconds: Europe/Berlin } }",
        """{"met_at":"2026-03-29 02:30:00"}""", "!")]
    public void A_time_of_A_reaches_B_in_its_form(string rule, string record, string expected) =>
        MappingSamples.Carry(MappingSamples.Rule(rule), Side.A, record).ShouldStartWith(expected);

    [Theory]
    [InlineData("{ a: seen_at, b: trial_end, via: unix_seconds }", """{"trial_end":1769860800}""",
        """{"seen_at":"2026-01-31T12:00:00Z"}""")]
    [InlineData("{ a: met_at, b: trial_end, via: { unix_seconds: { zone: Europe/Berlin } } }",
        """{"trial_end":1782864000}""", """{"met_at":"2026-07-01T02:00:00"}""")]
    [InlineData("{ a: born, b: trial_end, via: unix_seconds }", """{"trial_end":86401}""", """{"born":"1970-01-02"}""")]
    [InlineData("{ a: born, b: birthday, via: { time_format: dd.MM.yyyy } }", """{"birthday":"29.02.2024"}""",
        """{"born":"2024-02-29"}""")]
    [InlineData("{ a: born, b: birthday, via: { time_format: dd.MM.yyyy } }", """{"birthday":"31.02.2024"}""", "!")]
    [InlineData("{ a: visits, b: opened_at, via: from_unix_seconds }", """{"opened_at":"1970-01-01T01:00:01+01:00"}""",
        """{"visits":1}""")]
    [InlineData("{ a: seen_at, b: trial_end, via: unix_seconds }", """{"trial_end":99999999999999}""", "!")]
    [InlineData("{ a: seen_at, b: trial_end, via: unix_seconds }", """{"trial_end":1.5}""", "!")]
    public void A_time_of_B_comes_back_to_A(string rule, string record, string expected) =>
        MappingSamples.Carry(MappingSamples.Rule(rule), Side.B, record).ShouldStartWith(expected);

    [Fact]
    public void An_echo_without_the_fraction_of_a_second_is_no_difference()
    {
        var rule = MappingSamples.Rule("{ a: seen_at, b: trial_end, via: unix_seconds }");

        rule.Same(Side.A, Json("\"2026-01-31 12:00:00.75+00\""), Json("\"2026-01-31T12:00:00Z\"")).ShouldBeTrue();
        rule.Same(Side.A, Json("\"2026-01-31 12:00:00.75+00\""), Json("\"2026-01-31T12:00:01Z\"")).ShouldBeFalse();
    }

    [Theory]
    [InlineData(Side.A, """{"name":"Ana Maria Lopez"}""", """{"metadata":{"first":"Ana","last":"Maria Lopez"}}""")]
    [InlineData(Side.A, """{"name":"Ana"}""", """{"metadata":{"first":"Ana","last":null}}""")]
    [InlineData(Side.B, """{"metadata":{"first":"Ana","last":"Lopez"}}""", """{"name":"Ana Lopez"}""")]
    [InlineData(Side.B, """{"metadata":{"last":"Lopez"}}""", """{"name":"Lopez"}""")]
    [InlineData(Side.B, """{"metadata":{}}""", """{"name":null}""")]
    [InlineData(Side.B, "{}", "{}")]
    public void A_text_is_split_into_fields_and_joined_again(Side from, string record, string expected)
    {
        var rule = MappingSamples.Rule("""{ a: name, b: [metadata.first, metadata.last], via: { split: " " } }""");

        rule.ShadowName(Side.B).ShouldBe("metadata.first+metadata.last");
        MappingSamples.Carry(rule, from, record).ShouldBe(expected);
    }

    [Theory]
    [InlineData(Side.A, """{"first":"Ana","last":"Lopez"}""", """{"name":"Ana Lopez"}""")]
    [InlineData(Side.B, """{"name":"Ana Lopez"}""", """{"first":"Ana","last":"Lopez"}""")]
    public void Fields_are_joined_into_one(Side from, string record, string expected) => MappingSamples.Carry(
        MappingSamples.Rule("""{ a: [first, last], b: name, via: { join: " " } }"""), from, record).ShouldBe(expected);

    [Theory]
    [InlineData("{ a: extra, b: metadata.extra, via: json }",
        Side.A, """{"extra":{"a":[1,null]}}""", """{"metadata":{"extra":"{\"a\":[1,null]}"}}""")]
    [InlineData("{ a: extra, b: metadata.extra, via: json }", Side.B, """{"metadata":{"extra":" [1]"}}""",
        """{"extra":[1]}""")]
    [InlineData("{ a: extra, b: metadata.extra, via: json }", Side.B, """{"metadata":{"extra":"{"}}""", "!")]
    [InlineData("{ a: extra, b: metadata }",
        Side.A, """{"extra":{"a":1,"b":"x","c":{"d":true}}}""",
            """{"metadata":{"a":"1","b":"x","c":"{\"d\":true}"}}""")]
    [InlineData("{ a: extra, b: metadata }", Side.A, """{"extra":[1]}""", "!")]
    [InlineData("{ a: tags, b: description, via: [ { join: \", \" } ] }", Side.A, """{"tags":["a","b"]}""",
        """{"description":"a, b"}""")]
    [InlineData("{ a: tags, b: description, via: [ { join: \", \" } ] }", Side.B, """{"description":"a, b, c"}""",
        """{"tags":["a","b","c"]}""")]
    [InlineData("{ a: active, b: metadata.active, via: { boolean: { 'true': yes, 'false': no } } }",
        Side.A, """{"active":true}""", """{"metadata":{"active":"yes"}}""")]
    [InlineData("{ a: active, b: metadata.active, via: { boolean: { 'true': yes, 'false': no } } }",
        Side.B, """{"metadata":{"active":"no"}}""", """{"active":false}""")]
    [InlineData("{ a: active, b: balance, via: { boolean: { 'true': 1, 'false': 0 } } }", Side.B, """{"balance":1}""",
        """{"active":true}""")]
    [InlineData("{ a: name, b: balance, via: integer }", Side.A, """{"name":"12"}""", """{"balance":12}""")]
    [InlineData("{ a: name, b: balance, via: integer }", Side.A, """{"name":"12.5"}""", "!")]
    public void Types_are_converted(string rule, Side from, string record, string expected) =>
        MappingSamples.Carry(MappingSamples.Rule(rule), from, record).ShouldStartWith(expected);

    private static Duplex.Engine.Mapping.FieldValue Json(string json) =>
        Duplex.Engine.Mapping.FieldValue.Of(System.Text.Json.JsonElement.Parse(json));
}
