using System.Text;
using System.Text.Json;
using Duplex.Engine.Jsonata;

namespace Duplex.Jsonata.Tests;

/// <summary>What an expression only copies keeps the text that it had.</summary>
public sealed class CopyTests
{
    private const string Record = """
        {"id":12345678901234567890123,"price":1.50,"tiny":0.10000000000000000000000001,"huge":1e999,"zero":-0,
         "half":"\ud800","pair":"\ud83d\ude00","list":[{"n":9007199254740993},{"n":1.0}],"ids":["b","a"]}
        """;

    [Theory]
    [InlineData("id", "12345678901234567890123")]
    [InlineData("price", "1.50")]
    [InlineData("tiny", "0.10000000000000000000000001")]
    [InlineData("huge", "1e999")]
    [InlineData("zero", "-0")]
    [InlineData("{'a': {'b': [id, price]}}", """{"a":{"b":[12345678901234567890123,1.50]}}""")]
    [InlineData("list.n", "[9007199254740993,1.0]")]
    [InlineData("list", """[{"n":9007199254740993},{"n":1.0}]""")]
    [InlineData("$reverse(list.n)", "[1.0,9007199254740993]")]
    [InlineData("list^(n).n", "[1.0,9007199254740993]")]
    [InlineData("$merge([list[0], {'x': price}])", """{"n":9007199254740993,"x":1.50}""")]
    [InlineData("(list ~> |$|{'m': 1}|)[0]", """{"n":9007199254740993,"m":1}""")]
    [InlineData("$clone(list)", """[{"n":9007199254740993},{"n":1.0}]""")]
    [InlineData("half", "\"\\ud800\"")]
    [InlineData("pair", "\"\\uD83D\\uDE00\"")]
    [InlineData("$max([price, 1])", "1.50")]
    [InlineData("'no ' & id", "\"no 12345678901234567890123\"")]
    [InlineData("$number('12345678901234567890123')", "12345678901234567890123")]
    [InlineData("price + 1", "2.5")]
    [InlineData("$string(price)", "\"1.5\"")]
    [InlineData("list[n = 9007199254740993].n", "9007199254740993")]
    public void Text_of_a_copied_value_is_unchanged(string text, string wanted) => Evaluate(Record, text).ShouldBe(wanted);

    [Theory]
    [InlineData("$", "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}")]
    [InlineData("a", "{\"a\":1,\"a\":2}", "2")]
    [InlineData("$keys($)", "{\"b\":1,\"a\":2}", "[\"b\",\"a\"]")]
    [InlineData("1 = $", "12345678901234567890", "false")]
    [InlineData("$[0] = $[1]", "[12345678901234567890,12345678901234567891]", "false")]
    [InlineData("$[0] = $[1]", "[1.0,1.00]", "true")]
    [InlineData("$count($distinct($))", "[12345678901234567890,12345678901234567891]", "2")]
    [InlineData("$[0] in $", "[{\"a\":1}]", "true")]
    public void Members_and_digits_keep_what_they_mean(string text, string input, string wanted) =>
        Evaluate(input, text).ShouldBe(wanted);

    [Fact]
    public void The_input_does_not_change_even_where_a_transform_reaches_into_it() =>
        Evaluate(Record, "($ ~> |$$.list|{'n': 0}|; list.n)").ShouldBe("[9007199254740993,1.0]");

    [Theory]
    [InlineData("1/0", "D1001")]
    [InlineData("huge + 1", "D1001")]
    [InlineData("$string(1/0)", "D3001")]
    public void What_JSON_cannot_hold_is_an_error(string text, string code)
    {
        using var document = JsonDocument.Parse(Record);
        JsonataExpression.Compile(text).Expression!.Evaluate(document.RootElement, JsonataLimits.Default, null,
            TimeProvider.System, out var error);
        error.ShouldNotBeNull().Code.ShouldBe(code);
    }

    [Theory]
    [InlineData("a +", "S0207", 3)]
    [InlineData("a b", "S0201", 3)]
    [InlineData("\"abc", "S0101", 4)]
    [InlineData("$match('a', /(/)", "S0302", 16)]
    [InlineData("$match('a', /[b-a]/)", "S0303", 19)]
    [InlineData("", "S0207", 0)]
    public void A_text_that_does_not_compile_is_told_with_its_place(string text, string code, int position)
    {
        var result = JsonataExpression.Compile(text);
        result.Expression.ShouldBeNull();
        result.Error!.Code.ShouldBe(code);
        result.Error.Position.ShouldBe(position);
        result.Problem!.Message.ShouldContain(code);
    }

    private static string Evaluate(string input, string text)
    {
        using var document = JsonDocument.Parse(input);
        var limits = JsonataLimits.Default with { TimeMax = TimeSpan.FromMinutes(1) };
        var value = JsonataExpression.Compile(text).Expression!
            .Evaluate(document.RootElement, limits, null, TimeProvider.System, out var error);
        error.ShouldBeNull(error?.ToString());
        return Encoding.UTF8.GetString(value.ToUtf8());
    }
}
