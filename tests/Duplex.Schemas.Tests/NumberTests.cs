using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Duplex.Engine.Schemas;

namespace Duplex.Schemas.Tests;

public sealed class NumberTests
{
    [Theory]
    [InlineData("""{"type":"integer"}""", "1.0", true)]
    [InlineData("""{"type":"integer"}""", "1e400", true)]
    [InlineData("""{"type":"integer"}""", "12.50e1", true)]
    [InlineData("""{"type":"integer"}""", "1.25e1", false)]
    [InlineData("""{"type":"integer"}""", "-0.0", true)]
    [InlineData("""{"type":"integer"}""", "9007199254740993.5", false)]
    [InlineData("""{"type":"integer"}""", "0e99999999999999999999", true)]
    [InlineData("""{"maximum":9007199254740992}""", "9007199254740993", false)]
    [InlineData("""{"maximum":1e400}""", "1e399", true)]
    [InlineData("""{"maximum":1e400}""", "1.0000000000000000000000001e400", false)]
    [InlineData("""{"exclusiveMinimum":0}""", "1e-400", true)]
    [InlineData("""{"minimum":-1.5}""", "-1.50", true)]
    [InlineData("""{"minimum":-1.5}""", "-1.51", false)]
    [InlineData("""{"maximum":0}""", "-1e-5", true)]
    [InlineData("""{"multipleOf":0.01}""", "19.99", true)]
    [InlineData("""{"multipleOf":0.01}""", "19.999", false)]
    [InlineData("""{"multipleOf":0.1}""", "1e308", true)]
    [InlineData("""{"multipleOf":0.123456789}""", "1e308", false)]
    [InlineData("""{"multipleOf":7}""", "7e1000000000", true)]
    [InlineData("""{"multipleOf":7}""", "1e1000000000", false)]
    [InlineData("""{"multipleOf":1e400}""", "3e400", true)]
    [InlineData("""{"multipleOf":123456789012345678901}""", "246913578024691357802", true)]
    [InlineData("""{"multipleOf":123456789012345678901}""", "246913578024691357803", false)]
    [InlineData("""{"const":100}""", "1e2", true)]
    [InlineData("""{"enum":[1e400]}""", "10e399", true)]
    [InlineData("""{"const":9007199254740993}""", "9007199254740992", false)]
    [InlineData("""{"uniqueItems":true}""", "[1,2,3,4,5,6,7,8,9,10,1.0]", false)]
    [InlineData("""{"uniqueItems":true}""", "[12.5,1.25]", true)]
    [InlineData("""{"maxLength":1e0}""", "\"ab\"", false)]
    public void Numbers_are_compared_by_their_exact_value(string schema, string instance, bool isValid) =>
        Compile(schema).IsValid(JsonElement.Parse(instance)).ShouldBe(isValid);

    [Fact]
    public void Order_and_divisibility_agree_with_exact_arithmetic()
    {
        var random = new Random(12);
        for (var round = 0; round < 3_000; round++)
        {
            var (left, leftValue) = Number(random);
            var (right, rightValue) = Number(random);
            var instance = JsonElement.Parse(left);
            Compile($$"""{"minimum":{{right}}}""").IsValid(instance).ShouldBe(leftValue >= rightValue, $"{left} {right}");
            Compile($$"""{"const":{{right}}}""").IsValid(instance).ShouldBe(leftValue == rightValue, $"{left} {right}");
            if (rightValue > 0)
            {
                Compile($$"""{"multipleOf":{{right}}}""").IsValid(instance)
                    .ShouldBe(leftValue % rightValue == 0, $"{left} {right}");
            }
        }
    }

    /// <summary>A number's text, and its value times 10^40.</summary>
    private static (string Text, BigInteger Value) Number(Random random)
    {
        var digits = random.Next(4) == 0 ? random.NextInt64() : random.Next(30);
        var exponent = random.Next(-6, 7);
        var negative = random.Next(3) == 0;
        var text = digits.ToString(CultureInfo.InvariantCulture);
        var dot = random.Next(0, text.Length);
        var decimals = dot == 0 ? 0 : text.Length - dot;
        var written = (negative ? "-" : "") + (dot == 0 ? text : $"{text[..dot]}.{text[dot..]}")
            + (exponent == 0 ? "" : $"e{exponent}");
        var power = 40 + exponent - decimals;
        return (written, (negative ? -1 : 1) * digits * BigInteger.Pow(10, power));
    }

    private static JsonSchema Compile(string schema)
    {
        var result = JsonSchema.Compile(Encoding.UTF8.GetBytes(schema));
        result.Findings.ShouldBeEmpty();
        return result.Schema.ShouldNotBeNull();
    }
}
