using System.Text.Json;
using Duplex.Engine.Mapping;

namespace Duplex.Engine.Tests.Mapping;

public sealed class PredicateTests
{
    private static readonly JsonElement Record = JsonElement.Parse("""
        {"status":"open","plan":null,"amount":12.50,"big":123456789012345678901234567890,"n":0,"empty":"","flag":true,"off":false,
         "tags":["a","b"],"none":[],"metadata":{"plan":"pro","deep":{"x":1}},"odd name":{"y":"z"},"text":"Größe 😀","num":"5"}
        """);

    [Theory]
    [InlineData("status = 'open'", true)]
    [InlineData("status != 'draft'", true)]
    [InlineData("status = \"closed\"", false)]
    [InlineData("amount = 12.5", true)]
    [InlineData("amount > 12 and amount <= 12.50", true)]
    [InlineData("big > 123456789012345678901234567889", true)]
    [InlineData("big = 123456789012345678901234567891", false)]
    [InlineData("amount > -1e3", true)]
    [InlineData("num = 5", false)]
    [InlineData("num < 6", false)]
    [InlineData("status < 'p'", true)]
    [InlineData("plan = null", true)]
    [InlineData("plan != null", false)]
    [InlineData("plan != 'pro'", true)]
    [InlineData("missing = null", false)]
    [InlineData("missing != 'x'", false)]
    [InlineData("missing.deeper.still = 1", false)]
    [InlineData("status.deeper = 1", false)]
    [InlineData("not $exists(missing)", true)]
    [InlineData("$exists(plan)", true)]
    [InlineData("$not($exists(missing)) and flag", true)]
    [InlineData("metadata.plan in ['free', 'pro']", true)]
    [InlineData("metadata.plan in ['free']", false)]
    [InlineData("missing in ['free']", false)]
    [InlineData("'b' in tags", true)]
    [InlineData("'c' in tags", false)]
    [InlineData("'open' in status", true)]
    [InlineData("tags = ['a', 'b']", true)]
    [InlineData("tags = ['b', 'a']", false)]
    [InlineData("metadata.deep.x = 1.0", true)]
    [InlineData("`odd name`.y = 'z'", true)]
    [InlineData("flag", true)]
    [InlineData("off or n or empty or none or missing or plan", false)]
    [InlineData("not flag or not off", true)]
    [InlineData("flag = true and off = false", true)]
    [InlineData("status = 'x' or status = 'open' and amount > 100", false)]
    [InlineData("(status = 'x' or status = 'open') and amount > 10", true)]
    [InlineData("$lowercase('ABC') = 'abc'", true)]
    [InlineData("$uppercase(status) = 'OPEN'", true)]
    [InlineData("$trim('  a ') = 'a'", true)]
    [InlineData("$length(text) = 7", true)]
    [InlineData("$length(amount) = 7", false)]
    [InlineData("$contains(text, 'öß')", true)]
    [InlineData("$contains(missing, 'x')", false)]
    [InlineData("$substring(text, 6) = '😀'", true)]
    [InlineData("$substring(status, 0, 2) = 'op'", true)]
    [InlineData("$substring(status, -2) = 'en'", true)]
    [InlineData("$substring(status, 99) = ''", true)]
    [InlineData("$boolean(tags)", true)]
    [InlineData("'it\\'s' = \"it's\"", true)]
    [InlineData("1 = 1", true)]
    public void A_condition_holds_as_in_JSONata(string text, bool holds)
    {
        var predicate = Predicate.Compile(text);

        predicate.Text.ShouldBe(text);
        predicate.Holds(Record).ShouldBe(holds);
    }

    [Theory]
    [InlineData("", 1, "empty")]
    [InlineData("   ", 1, "empty")]
    [InlineData("status == 'x'", 8, "==")]
    [InlineData("a && b", 3, "&&")]
    [InlineData("a || b", 3, "||")]
    [InlineData("!a", 1, "!")]
    [InlineData("a = 'x", 5, "closing quote")]
    [InlineData("a = `x", 5, "backticks")]
    [InlineData("a = ", 5, "the end")]
    [InlineData("a = 1 b", 7, "b")]
    [InlineData("(a = 1", 7, "the end")]
    [InlineData("a in [1, 2", 11, "the end")]
    [InlineData("a. = 1", 4, "=")]
    [InlineData("a[0] = 1", 2, "indexed")]
    [InlineData("a + 1", 3, "+")]
    [InlineData("a & b", 3, "&")]
    [InlineData("$sum(a)", 1, "$sum")]
    [InlineData("$lenght(a) = 1", 1, "$lenght")]
    [InlineData("$length() = 1", 1, "arguments")]
    [InlineData("$contains(a)", 1, "arguments")]
    [InlineData("$exists", 8, "the end")]
    [InlineData("a = 1.2.3", 5, "number")]
    [InlineData("a = '\\q'", 6, "escape")]
    [InlineData("function($x){$x}", 9, "(")]
    [InlineData("and", 1, "and")]
    [InlineData("a = \u0001", 5, "character")]
    public void Anything_else_is_refused_at_its_column(string text, int column, string about)
    {
        var exception = Should.Throw<PredicateException>(() => Predicate.Compile(text));

        exception.Column.ShouldBe(column);
        exception.Message.ShouldContain(about, Case.Insensitive);
        exception.Suggestion.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void Length_depth_and_width_are_limited()
    {
        Should.Throw<PredicateException>(() => Predicate.Compile(new string('(', 2000) + "a" + new string(')', 2000)));
        Should.Throw<PredicateException>(() => Predicate.Compile(string.Concat(Enumerable.Repeat("not ", 500)) + "a"));
        Should.Throw<PredicateException>(() =>
            Predicate.Compile($"a in [{string.Join(',', Enumerable.Range(0, 1000))}]"));
        Should.Throw<PredicateException>(() => Predicate.Compile(string.Join(" or ", Enumerable.Repeat("a", 600))));
        Should.Throw<PredicateException>(() => Predicate.Compile($"a = '{new string('x', 5000)}'"));
    }

    [Fact]
    public void No_text_and_no_record_makes_it_throw_anything_else()
    {
        var random = new Random(7);
        string[] parts =
        [
            "status", "amount", "tags", "metadata.plan", "'x'", "1", "=", "!=", "<", "in", "and", "or", "not", "(",
                ")", "[", "]", ",", ".",
            "$length(", "$exists(", "$substring(", "null", "true", "`", "'", "\\", "😀", "\ud800", "-", "1e9",
        ];
        JsonElement[] records =
        [
            Record, JsonElement.Parse("""{"status":"\ud800","amount":1e999999999,"tags":[["\udc00"]],"metadata":5}"""),
                JsonElement.Parse("[]"),
        ];
        var compiled = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Join(' ', Enumerable.Range(0, random.Next(1, 8))
                .Select(_ => parts[random.Next(parts.Length)]));
            try
            {
                var predicate = Predicate.Compile(text);
                compiled++;
                Array.ForEach(records, r => predicate.Holds(r));
            }
            catch (PredicateException)
            {
                continue;
            }
        }

        compiled.ShouldBeGreaterThan(100);
    }
}
