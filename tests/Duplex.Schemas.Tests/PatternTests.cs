using System.Text;
using System.Text.Json;
using Duplex.Engine.Schemas;

namespace Duplex.Schemas.Tests;

public sealed class PatternTests
{
    [Theory]
    [InlineData(@"^\d+$", "\u0663", false)]
    [InlineData(@"^\w+$", "é", false)]
    [InlineData(@"^\s$", "\uFEFF", true)]
    [InlineData(@"^\s$", "\u180E", false)]
    [InlineData(@"^\S$", "😀", true)]
    [InlineData("^.$", "😀", true)]
    [InlineData("^.$", "\u2028", false)]
    [InlineData("^a$", "a\n", false)]
    [InlineData("^[^a]$", "😀", true)]
    [InlineData("^[😀-😎]{2}$", "😃😎", true)]
    [InlineData("^[😀-😎]$", "😏", false)]
    [InlineData("^[\\u{1F600}-\\u{1F64F}a]+$", "😀a", true)]
    [InlineData(@"^\ud83d\ude00$", "😀", true)]
    [InlineData("^😀{2}$", "😀😀", true)]
    [InlineData(@"^\p{Lu}$", "É", true)]
    [InlineData(@"^\p{L}$", "𝒳", true)]
    [InlineData(@"^\P{L}$", "𝒳", false)]
    [InlineData(@"^\p{Script=Greek}+$", "αβγ", true)]
    [InlineData(@"^\p{sc=Cyrillic}$", "a", false)]
    [InlineData(@"^\p{Emoji_Presentation}$", "😀", true)]
    [InlineData(@"^\cA\x41\0$", "\u0001A\0", true)]
    [InlineData(@"^[\b]$", "\b", true)]
    [InlineData(@"\bcat\b", "a cat.", true)]
    [InlineData(@"\bcat\b", "concat", false)]
    [InlineData(@"\bé", "aé", true)]
    [InlineData(@"^(?:(a)|b)\1$", "b", true)]
    [InlineData(@"^(?<n>a|b)\k<n>$", "bb", true)]
    [InlineData(@"^(?<n>a|b)\k<n>$", "ab", false)]
    [InlineData("(?<=€)[0-9]+", "€12", true)]
    [InlineData("^(?!.*foo)", "a foo", false)]
    [InlineData(@"^[\w.+-]+@[\w-]+\.[a-z]{2,}$", "a.b+c@d-e.org", true)]
    [InlineData(@"^\-\@$", "-@", true)]
    [InlineData("^a{,2}$", "a{,2}", true)]
    [InlineData("^[]$", "", false)]
    [InlineData("^[^]$", "\n", true)]
    [InlineData(@"^[\d-x]+$", "1-x", true)]
    [InlineData("a|^$", "", true)]
    [InlineData("^[A-Z]{3}$", "EUR", true)]
    [InlineData("^[A-Z]{3}$", "EURO", false)]
    [InlineData("^[A-Z]{3}$", "EU", false)]
    [InlineData("^[A-Z]{3}", "EURO", true)]
    [InlineData("^cus_[A-Za-z0-9]{2,4}$", "cus_a1B", true)]
    [InlineData("^cus_[A-Za-z0-9]{2,4}$", "cus_a1B22", false)]
    [InlineData("^cus_[A-Za-z0-9]{2,}$", "cus_é1", false)]
    [InlineData("^[a-c]*c$", "abc", true)]
    [InlineData("^a?b*-?a$", "a", true)]
    [InlineData("^[0-9]+(-[0-9]+)?$", "12-3", true)]
    [InlineData("^[\n]$", "\n", true)]
    [InlineData("^$", "", true)]
    [InlineData("^$", "a", false)]
    public void Patterns_mean_what_ECMA_262_says(string pattern, string text, bool matches) =>
        Compile(pattern).IsValid(Text(text)).ShouldBe(matches);

    [Theory]
    [InlineData(@"\Z")]
    [InlineData(@"\a")]
    [InlineData("(?i)a")]
    [InlineData("(?P<n>a)")]
    [InlineData("(?#c)a")]
    [InlineData("(?>a)")]
    [InlineData("(")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("[b-a]")]
    [InlineData("*a")]
    [InlineData("a**")]
    [InlineData("a{2,1}")]
    [InlineData(@"\1")]
    [InlineData(@"\p{Nonsense}")]
    [InlineData(@"\u{110000}")]
    [InlineData("\\")]
    public void What_is_no_pattern_is_found_when_the_schema_is_compiled(string pattern)
    {
        var result = JsonSchema.Compile(Schema(pattern));
        result.Schema.ShouldBeNull();
        var finding = result.Findings.ShouldHaveSingleItem();
        finding.Code.ShouldBe("schema.pattern_invalid");
        finding.Path.ShouldBe("/pattern");
        finding.Suggestion.ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData("^(a+)+$")]
    [InlineData("^(a|a)*$")]
    [InlineData("^(a|aa)+$")]
    [InlineData("^(.*a){12}$")]
    [InlineData("^([a-zA-Z]+)*$")]
    [InlineData(@"^(\w+\s?)*$")]
    [InlineData("(a*)*(a*)*(a*)*b")]
    public void Patterns_that_explode_elsewhere_answer_here(string pattern) =>
        Compile(pattern).IsValid(Text(new string('a', 100_000) + "!")).ShouldBeFalse();

    [Theory]
    [InlineData("^(?=(a+)+$)")]
    [InlineData(@"^(a+)+\1$")]
    public void A_pattern_that_cannot_answer_in_time_is_a_refusal_that_says_so(string pattern)
    {
        var schema = Compile(pattern);
        var text = Text(new string('a', 60) + "!");
        schema.IsValid(text).ShouldBeFalse();
        schema.Validate(text)[0].Message.ShouldContain("takes more than");
    }

    [Fact]
    public void A_refusal_for_time_is_not_turned_round_by_not_nor_repeated_by_many_items()
    {
        var result = JsonSchema.Compile("""{"items":{"not":{"pattern":"^(?=(a+)+$)"}}}"""u8.ToArray());
        var items = string.Join(',', Enumerable.Repeat($"\"{new string('a', 60)}!\"", 10_000));
        result.Schema.ShouldNotBeNull().IsValid(JsonElement.Parse($"[{items}]")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("^[ab]*$")]
    [InlineData("^(?!.*x)[ab]+$")]
    [InlineData("^(?:[ab]{1,10})+$")]
    public void Long_texts_are_matched_whole(string pattern)
    {
        var schema = Compile(pattern);
        var text = string.Concat(Enumerable.Repeat("ab", 50_000));
        schema.IsValid(Text(text)).ShouldBeTrue();
        schema.IsValid(Text(text + "x")).ShouldBeFalse();
    }

    [Fact]
    public void Whatever_is_written_as_a_pattern_is_compiled_or_refused_and_then_answers()
    {
        var random = new Random(262);
        string[] pieces = ["a", "b", "(", ")", "[", "]", "{2}", "{1,3}", "*", "+", "?", "|", "\\", "^", "$", ".", "-",
            "(?:", "(?=", "(?!", "(?<=", "(?<n>", "\\d", "\\w", "\\b", "\\1", "\\k<n>", "\\p{L}", "😀", "é", "\\u{61}"];
        var compiled = 0;
        for (var round = 0; round < 1_000; round++)
        {
            var pattern = string.Concat(Enumerable.Range(0, random.Next(1, 9))
                .Select(_ => pieces[random.Next(pieces.Length)]));
            var result = JsonSchema.Compile(Schema(pattern));
            if (result.Schema is null)
            {
                result.Findings.ShouldNotBeEmpty(pattern);
                continue;
            }

            compiled++;
            var text = Text("aab😀éb");
            result.Schema.IsValid(text).ShouldBe(result.Schema.Validate(text).Count == 0, pattern);
        }

        compiled.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void Patterns_choose_members_by_their_decoded_names()
    {
        var schema = JsonSchema.Compile(
            """{"patternProperties":{"^é$":{"type":"null"}},"additionalProperties":false}"""u8.ToArray()).Schema!;
        schema.IsValid(JsonElement.Parse("""{"\u00e9":null}""")).ShouldBeTrue();
        schema.IsValid(JsonElement.Parse("""{"\u00e9":1}""")).ShouldBeFalse();
        schema.IsValid(JsonElement.Parse("""{"e":null}""")).ShouldBeFalse();
    }

    private static JsonSchema Compile(string pattern)
    {
        var result = JsonSchema.Compile(Schema(pattern));
        result.Findings.ShouldBeEmpty();
        return result.Schema.ShouldNotBeNull();
    }

    private static byte[] Schema(string pattern) =>
        JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["pattern"] = pattern });

    private static JsonElement Text(string text) =>
        JsonElement.Parse(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(text)));
}
