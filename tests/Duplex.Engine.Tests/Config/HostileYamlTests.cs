using System.Text;
using Duplex.Engine.Config;

namespace Duplex.Engine.Tests.Config;

public sealed class HostileYamlTests
{
    [Fact]
    public void An_alias_bomb_is_refused_by_its_true_size()
    {
        var yaml = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 12; i++)
        {
            yaml.Append($"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}]\n");
        }

        Refused(yaml.ToString(), "config.too_large");
    }

    [Fact]
    public void An_alias_within_its_own_anchor_is_refused() => Refused("a: &a [ *a ]", "config.syntax");

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    [InlineData("? ")]
    public void Deep_nesting_is_refused(string opening) =>
        Refused(string.Concat(Enumerable.Repeat(opening, 100_000)), "config.too_large", "config.syntax");

    [Fact]
    public void A_huge_file_is_refused() => Refused("a: " + new string('x', (1 << 20) + 1), "config.too_large");

    [Fact]
    public void A_huge_name_is_refused() => Refused($"? {new string('x', 500_000)}\n: 1", "config.too_large");

    [Theory]
    [InlineData("a: 1\na: 2", "config.duplicate")]
    [InlineData("a: 1\n---\nb: 2", "config.syntax")]
    [InlineData("a: !!python/object:os.system [x]", "config.syntax")]
    [InlineData("a: !foo x", "config.syntax")]
    [InlineData("[1, 2]: x", "config.syntax")]
    [InlineData("a: 'unclosed", "config.syntax")]
    [InlineData("a: \"\\uD800\"", "config.syntax")]
    [InlineData("a: b\n  c: d", "config.syntax")]
    [InlineData("%YAML 9.9\n---\na: b", "config.syntax", "config.unknown_member")]
    public void What_is_not_plain_yaml_is_a_finding(string yaml, params string[] codes) => Refused(yaml, codes);

    [Theory]
    [InlineData("")]
    [InlineData("   \n# only a comment\n")]
    [InlineData("just text")]
    [InlineData("- a\n- b")]
    [InlineData("null")]
    public void A_file_that_configures_nothing_says_so(string yaml) => Refused(yaml, "config.missing");

    [Theory]
    [InlineData("connections: 5\nsyncs: [a]")]
    [InlineData("connections: { shop: 5 }\nsyncs: { a: 5 }")]
    [InlineData("connections: { 'a/b': { connector: postgres } }\nsyncs: { '': { } }")]
    [InlineData("server: [1]\nretention: x\nconnections:\nsyncs:\ndata: [x]")]
    [InlineData("server: { data_plane: 99999999999, control_plane: {}, stop_within: 99999999999999d, body_max: 9TB }")]
    [InlineData("retention: { log_age: 2147483647d, log_bytes: -1, timeline_rows: 1e9 }")]
    public void Values_of_the_wrong_shape_are_findings(string yaml)
    {
        var result = ConfigSamples.Load(yaml);

        result.Model.ShouldBeNull();
        result.Findings.ShouldNotBeEmpty();
    }

    [Fact]
    public void Any_damage_to_a_good_file_gives_a_model_or_findings_and_never_throws()
    {
        var random = new Random(20260131);
        const string alphabet = "{}[]:,-&*!|>'\"%@`#?\n \t\\${}~0aé\u0000\uFEFF😀";
        for (var round = 0; round < 1500; round++)
        {
            var text = new StringBuilder(ConfigSamples.Customers);
            for (var edit = random.Next(1, 6); edit > 0; edit--)
            {
                var at = random.Next(text.Length);
                switch (random.Next(3))
                {
                    case 0:
                        text.Remove(at, Math.Min(random.Next(1, 30), text.Length - at));
                        break;
                    case 1:
                        text.Insert(at, alphabet[random.Next(alphabet.Length)]);
                        break;
                    default:
                        text.Insert(at, text.ToString(at, Math.Min(random.Next(1, 60), text.Length - at)));
                        break;
                }
            }

            var result = ConfigSamples.Load(text.ToString());

            (result.Model is not null || result.Findings.Count > 0).ShouldBeTrue();
        }
    }

    [Fact]
    public void Many_errors_are_cut_off_with_their_number()
    {
        var yaml = string.Concat(Enumerable.Range(0, 5000).Select(static i => $"k{i}: 1\n"));

        var result = ConfigSamples.Load(yaml);

        result.Findings.Count.ShouldBe(ConfigReport.FindingsMax + 1);
        result.Findings[^1].Code.ShouldBe("config.too_many");
    }

    private static void Refused(string yaml, params string[] codes)
    {
        var result = ConfigSamples.Load(yaml);
        result.Model.ShouldBeNull();
        result.Findings.ShouldContain(f => codes.Contains(f.Code), string.Join("; ", result.Findings));
    }
}
