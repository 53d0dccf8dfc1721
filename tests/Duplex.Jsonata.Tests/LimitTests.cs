using System.Text.Json;
using Duplex.Engine.Jsonata;

namespace Duplex.Jsonata.Tests;

/// <summary>Whatever an expression does, it ends with an error and takes the process with it in no way.</summary>
public sealed class LimitTests
{
    private static readonly JsonataLimits _limits = JsonataLimits.Default with { TimeMax = TimeSpan.FromMinutes(5), StepsMax = 500_000 };

    [Theory]
    [InlineData("($f := function(){ 1 + $f() }; $f())", "deeper")]
    [InlineData("($f := function(){ $f() }; $f())", "steps")]
    [InlineData("($f := function($n){ $f($n + 1) }; $f(0))", "steps")]
    [InlineData("($f := function($s){ $f($s & $s) }; $f('0123456789'))", "bytes|steps")]
    [InlineData("($f := function($a){ $f([$a, $a]) }; $f([1, 2, 3]))", "bytes|steps")]
    [InlineData("[1..10000000].('x' & $)", "steps|bytes")]
    [InlineData("$map([1..10000000], function($i){ [1..10000000] })", "steps|bytes")]
    [InlineData("$pad('', 1000000000)", "bytes|steps")]
    [InlineData("$join($map([1..1000], function($i){ $pad('', 100000) }))", "bytes|steps")]
    [InlineData("$distinct([1..100000])", "steps")]
    [InlineData("$sort([1..1000000].(0 - $))", "steps|bytes")]
    [InlineData("($f := function($a, $n){ $n = 0 ? $a : $f([[$a]], $n - 1) }; $string($f([], 100000)))", "deeper|steps|bytes")]
    [InlineData("($f := function($a, $n){ $n = 0 ? $a : $f([[$a]], $n - 1) }; $f([], 900))", "deeper")]
    [InlineData("($f := function($a, $n){ $n = 0 ? $a : $f({'a': $a}, $n - 1) }; $x := $f({}, 30000); $x = $clone($x))", "deeper")]
    [InlineData("($f := function($a, $n){ $n = 0 ? $a : $f([[$a], 1], $n - 1) }; $count($f([], 30000).**))", "deeper|steps")]
    [InlineData("($f := function($g, $n){ $n = 0 ? $g : $f(function($x){ $g($x) + 1 }, $n - 1) }; $f(function($x){ $x }, 20000)(1))", "deeper")]
    [InlineData("($f := function($g, $n){ $n = 0 ? $g : $f($g ~> function($x){ $x }, $n - 1) }; $f(function($x){ $x }, 20000)(1))", "deeper")]
    [InlineData("($g := function($x, $y){ $x }; $f := function($h, $n){ $n = 0 ? $h : $f($h(?), $n - 1) }; $f($g(?, 1), 20000)(1))", "deeper|steps")]
    [InlineData("($e := '$eval($e)'; $eval($e))", "deeper")]
    [InlineData("$formatInteger(1e100, 'I')", "bytes|steps")]
    [InlineData("$formatNumber(1, $pad('', 100000, '#'))", "characters")]
    [InlineData("$toMillis('1', $pad('', 100000, '[Y]'))", "characters")]
    public void What_takes_too_much_ends_with_the_limit_that_it_exceeds(string text, string words)
    {
        var error = Evaluate(text, out _, _limits);
        error.ShouldNotBeNull();
        error.IsLimit.ShouldBeTrue(error.ToString());
        words.Split('|').ShouldContain(w => error.Message.Contains(w), error.Message);
    }

    [Fact]
    public void An_endless_loop_ends_when_its_time_is_up()
    {
        var limits = new JsonataLimits
        {
            StepsMax = long.MaxValue,
            BytesMax = long.MaxValue,
            TimeMax = TimeSpan.FromMilliseconds(50),
        };
        var error = Evaluate("($f := function(){ $f() }; $f())", out _, limits);
        error.ShouldNotBeNull().Message.ShouldContain("50 ms");
    }

    [Fact]
    public void A_range_of_a_billion_is_refused() => Evaluate("[1..1000000000]", out _, _limits)!.Code.ShouldBe("D2014");

    [Theory]
    [InlineData("$match($, /^(a+)+$/)")]
    [InlineData("$contains($, /(a|aa)+$/)")]
    [InlineData("$replace($, /(a*)*b/, 'x')")]
    [InlineData("$split($, /(.*a){20}x/)")]
    public void A_regular_expression_takes_linear_time(string text)
    {
        string subject = new string('a', 100_000) + "!";
        var error = Evaluate(text, out _, _limits, JsonSerializer.Serialize(subject));
        (error is null || error.IsLimit || error.Code == "D1004").ShouldBeTrue(error?.ToString());
    }

    [Fact]
    public void A_regular_expression_that_has_to_go_back_ends_when_its_time_is_up()
    {
        string subject = new string('a', 100_000) + "!";
        var error = Evaluate(@"$contains($, /^(?=(a+)+$)\1b/)", out _, _limits, JsonSerializer.Serialize(subject));
        error.ShouldNotBeNull().IsLimit.ShouldBeTrue(error.ToString());
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("{'a':", "}")]
    [InlineData("-", "")]
    [InlineData("$f(", ")")]
    [InlineData("function(){", "}")]
    [InlineData("1+(", ")")]
    [InlineData("a[", "]")]
    [InlineData("x?", ":1")]
    [InlineData("|a|", "|")]
    [InlineData("a^(", ")")]
    public void Deep_nesting_is_refused_when_it_is_compiled(string open, string close)
    {
        const int Depth = 50_000;
        string text = string.Concat(Enumerable.Repeat(open, Depth)) + "1" + string.Concat(Enumerable.Repeat(close, Depth));
        var result = JsonataExpression.Compile(text);
        result.Expression.ShouldBeNull();
        result.Error!.IsLimit.ShouldBeTrue(result.Error.ToString());
        result.Problem!.Message.ShouldContain("nests");
    }

    [Theory]
    [InlineData("+1")]
    [InlineData(".a")]
    [InlineData("&'x'")]
    [InlineData("[0]")]
    [InlineData("()")]
    [InlineData("~>$f")]
    [InlineData("?:1")]
    [InlineData("%1")]
    [InlineData("@$v.b")]
    [InlineData("#$i")]
    public void Long_chains_compile_and_evaluate_or_say_that_they_are_too_long(string link)
    {
        string text = "a" + string.Concat(Enumerable.Repeat(link, 60_000));
        var result = JsonataExpression.Compile(text);
        if (result.Expression is null)
            result.Error.ShouldNotBeNull();
        else
            result.Expression.Evaluate(default, _limits, null, TimeProvider.System, out _);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("**")]
    [InlineData("$string($)")]
    [InlineData("$ ~> |$|{'b': 1}|")]
    [InlineData("$ = $$")]
    [InlineData("*.*")]
    public void Deep_input_is_read_or_refused(string text)
    {
        const int Depth = 20_000;
        string input = string.Concat(Enumerable.Repeat("[", Depth)) + string.Concat(Enumerable.Repeat("]", Depth));
        using var document = JsonDocument.Parse(input, new() { MaxDepth = Depth + 1 });
        JsonataExpression.Compile(text).Expression!
            .Evaluate(document.RootElement, _limits, null, TimeProvider.System, out _);
    }

    [Fact]
    public void Evaluations_at_the_same_time_do_not_disturb_each_other()
    {
        var expression = JsonataExpression.Compile(
            "{'sum': $sum(items.(price * quantity)), 'names': items^(name).name, 'm': $match('a1b2', /[a-z](\\d)/).groups}").Expression!;
        using var document = JsonDocument.Parse("""
            {"items":[{"name":"b","price":2,"quantity":3},{"name":"a","price":1.5,"quantity":2}]}
            """);
        Parallel.For(0, 2_000, _ =>
        {
            var value = expression.Evaluate(document.RootElement, _limits, null, TimeProvider.System, out var error);
            error.ShouldBeNull();
            System.Text.Encoding.UTF8.GetString(value.ToUtf8())
                .ShouldBe("""{"sum":9,"names":["a","b"],"m":["1","2"]}""");
        });
    }

    private static JsonataError? Evaluate(string text, out JsonataValue value, JsonataLimits limits, string? input = null)
    {
        var result = JsonataExpression.Compile(text);
        result.Error.ShouldBeNull();
        var element = input is null ? default : JsonDocument.Parse(input).RootElement;
        value = result.Expression!.Evaluate(element, limits, null, TimeProvider.System, out var error);
        return error;
    }
}
