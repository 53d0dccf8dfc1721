using System.Globalization;
using System.Text;
using System.Text.Json;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;

namespace Duplex.Engine.Tests.Mapping;

/// <summary>The laws by which a two-way mapping neither loops nor eats values, on generated values.</summary>
public sealed class LensLawTests
{
    private const int Rounds = 600;

    public static TheoryData<string> TwoWayRules =>
    [
        "{ a: name, b: description }",
        "{ a: name, b: description, via: trim }",
        "{ a: name, b: description, via: [ trim, lowercase ] }",
        "{ a: name, b: description, via: uppercase }",
        "{ a: name, b: description, via: { prefix: eu- } }",
        "{ a: name, b: description, via: { suffix: '!' } }",
        "{ a: name, b: description, via: { default: none } }",
        "{ a: name, b: description, via: { default: { a: x, b: y } } }",
        "{ a: name, b: description, via: empty_as_null }",
        "{ a: name, b: description, via: absent_as_null }",
        "{ a: name, b: metadata.name }",
        "{ a: plan, b: metadata.plan, via: { enum: { free: F, pro: P } } }",
        "{ a: plan, b: description, via: { enum: { free: F, pro: P, '*': '*' } } }",
        "{ a: balance, b: balance, via: { minor_units: 2 } }",
        "{ a: balance, b: balance, via: { minor_units: { digits: 2, round: half_even } } }",
        "{ a: name, b: balance, via: { minor_units: 2 } }",
        "{ a: [balance, currency], b: [balance, currency], via: { minor_units: by_currency } }",
        "{ a: balance, b: metadata.balance }",
        "{ a: visits, b: metadata.visits }",
        "{ a: visits, b: balance }",
        "{ a: active, b: metadata.active }",
        "{ a: active, b: metadata.active, via: { boolean: { 'true': yes, 'false': no } } }",
        "{ a: seen_at, b: trial_end, via: unix_seconds }",
        "{ a: seen_at, b: balance, via: unix_millis }",
        "{ a: met_at, b: trial_end, via: { unix_seconds: { zone: Europe/Berlin } } }",
        "{ a: met_at, b: opened_at, via: { timestamp: { zone: America/New_York } } }",
        "{ a: seen_at, b: opened_at }",
        "{ a: seen_at, b: metadata.seen, via: timestamp }",
        "{ a: born, b: trial_end, via: { unix_seconds: { zone: America/Sao_Paulo } } }",
        "{ a: born, b: birthday, via: { time_format: dd.MM.yyyy } }",
        "{ a: visits, b: opened_at, via: from_unix_seconds }",
        "{ a: name, b: [metadata.first, metadata.last], via: { split: ' ' } }",
        "{ a: [first, last], b: name, via: { join: ' ' } }",
        "{ a: tags, b: description, via: { join: ', ' } }",
        "{ a: extra, b: metadata.extra, via: json }",
        "{ a: extra, b: metadata.extra }",
        "{ a: extra, b: metadata }",
        "{ a: extra.deep.x, b: address.city }",
    ];

    [Theory]
    [MemberData(nameof(TwoWayRules))]
    public void What_reaches_the_other_side_comes_back_meaning_the_same(string text)
    {
        var rule = MappingSamples.Rule(text);
        var carried = 0;
        foreach (var (side, value) in Values(rule, 1))
        {
            if (!rule.TryMap(side, value, out var there, out var problem))
            {
                problem.ShouldNotBeNullOrEmpty();
                continue;
            }

            carried++;
            rule.TryMap(side.Other(), there, out var back, out problem)
                .ShouldBeTrue($"{text} {side} {Show(value)} → {Show(there)}: {problem}");
            rule.Same(side, value, back).ShouldBeTrue($"{text} {side} {Show(value)} → {Show(there)} → {Show(back)}");
            rule.TryMap(side, back, out var again, out problem).ShouldBeTrue($"{text} {side} {Show(back)}: {problem}");
            rule.Same(side.Other(), there, again)
                .ShouldBeTrue($"{text} {side} {Show(value)} → {Show(there)} ⇒ {Show(again)}");
        }

        carried.ShouldBeGreaterThan(10, text);
    }

    [Theory]
    [MemberData(nameof(TwoWayRules))]
    public void Values_that_mean_the_same_reach_the_other_side_meaning_the_same(string text)
    {
        var rule = MappingSamples.Rule(text);
        foreach (var side in new[] { Side.A, Side.B })
        {
            var values = Values(rule, 2).Where(v => v.Side == side).Select(static v => v.Value).Take(150).ToList();
            foreach (var left in values)
            {
                rule.Same(side, left, left).ShouldBeTrue(Show(left));
                foreach (var right in values)
                {
                    var same = rule.Same(side, left, right);
                    rule.Same(side, right, left).ShouldBe(same, $"{text} {side} {Show(left)} {Show(right)}");
                    if (same && rule.TryMap(side, left, out var l, out _) && rule.TryMap(side, right, out var r, out _))
                    {
                        rule.Same(side.Other(), l, r)
                            .ShouldBeTrue($"{text} {side} {Show(left)} ~ {Show(right)}: {Show(l)}, {Show(r)}");
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(TwoWayRules))]
    public void What_is_written_is_what_is_read(string text)
    {
        var rule = MappingSamples.Rule(text);
        foreach (var (side, value) in Values(rule, 3).Take(200))
        {
            if (!rule.TryMap(side, value, out var there, out _))
            {
                continue;
            }

            var builder = new RecordBuilder();
            rule.Write(side.Other(), there, builder);
            var read = rule.Read(side.Other(), builder.Build().Root, []);

            rule.Same(side.Other(), there, read).ShouldBeTrue($"{text} {side} {Show(there)} {Show(read)}");
        }
    }

    [Theory]
    [MemberData(nameof(TwoWayRules))]
    public void The_same_value_always_becomes_the_same_octets(string text)
    {
        static string Octets(CompiledRule rule, Side side, FieldValue value)
        {
            if (!rule.TryMap(side, value, out var there, out var problem))
            {
                return problem!;
            }

            var builder = new RecordBuilder();
            rule.Write(side.Other(), there, builder);
            return builder.Build().Root.GetRawText();
        }

        var (rule, again) = (MappingSamples.Rule(text), MappingSamples.Rule(text));
        foreach (var (side, value) in Values(rule, 4).Take(200).Reverse())
        {
            Octets(again, side, value).ShouldBe(Octets(rule, side, value), text);
        }
    }

    /// <summary>Values that each side's field can hold, sensible to the rule or not.</summary>
    private static IEnumerable<(Side Side, FieldValue Value)> Values(CompiledRule rule, int seed)
    {
        var random = new Random(seed);
        foreach (var side in new[] { Side.A, Side.B })
        {
            var paths = rule.ShadowName(side).Split('+').Length;
            yield return (side, FieldValue.Absent);
            yield return (side, FieldValue.Null);
            for (var i = 0; i < Rounds; i++)
            {
                var value = FieldValue.Of(JsonElement.Parse(paths == 1
                    ? Value(random, 2)
                        : $"[{string.Join(',', Enumerable.Range(0, paths).Select(_ => Value(random, 0)))}]"));
                if (((LensRule)rule).End(side).Refusal(value) is null)
                {
                    yield return (side, value);
                }
            }
        }
    }

    private static string Value(Random random, int depth) => random.Next(depth > 0 ? 12 : 10) switch
    {
        0 => Quote(Word(random)),
        1 => $"{random.Next(-3000, 3000)}",
        2 => $"{random.Next(-50, 50)}.{random.Next(0, 1000):D3}".TrimEnd('0').TrimEnd('.'),
        3 => random.Next(2) == 0 ? "true" : "false",
        4 => Quote(Instant(random).ToString("yyyy-MM-dd HH:mm:ss.FFFFFFzzz", CultureInfo.InvariantCulture)),
        5 => Quote(Instant(random).ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture)),
        6 => Quote(Instant(random).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        7 => $"{Instant(random).ToUnixTimeSeconds()}",
        8 => Quote(new[] { "free", "pro", "F", "P", "yes", "no", "true", "eur", "JPY", "kwd", "29.02.2024", "eu-1",
            "1!", "" }[random.Next(14)]),
        9 => random.Next(4) == 0 ? "null" : Quote($"{random.Next(-99, 99)}.{random.Next(0, 99):D2}"),
        10 => $"[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth - 1)))}]",
        _ => $"{{{string.Join(',', Enumerable.Range(0, random.Next(3)).Select(i => $"\"k{i}\":{Value(random, depth - 1)}"))}}}",
    };

    private static DateTimeOffset Instant(Random random)
    {
        var near = new DateTimeOffset(2026, random.Next(2) == 0
            ? 3 : 10, random.Next(20, 31), random.Next(24), random.Next(60), 0, TimeSpan.Zero);
        var time = random.Next(3) == 0
            ? near : DateTimeOffset.FromUnixTimeSeconds(random.NextInt64(-10_000_000_000, 10_000_000_000));
        return time.AddTicks(random.Next(3) * 10 * random.Next(1_000_000))
            .ToOffset(TimeSpan.FromMinutes(random.Next(-4, 5) * 30));
    }

    private static string Word(Random random)
    {
        const string letters = "abcXYZ äÖß,.\t'\"\\/😀0019-";
        var runes = letters.EnumerateRunes().ToArray();
        var word = new StringBuilder();
        for (var i = random.Next(9); i > 0; i--)
        {
            word.Append(runes[random.Next(runes.Length)]);
        }

        return word.ToString();
    }

    private static string Quote(string text) => JsonSerializer.Serialize(text);

    private static string Show(FieldValue value) =>
        value.State == FieldState.Present ? value.Element.GetRawText() : value.State.ToString();
}
