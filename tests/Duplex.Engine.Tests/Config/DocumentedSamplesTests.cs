using System.Text.RegularExpressions;
using Duplex.Engine.Mapping;

namespace Duplex.Engine.Tests.Config;

public sealed partial class DocumentedSamplesTests
{
    [Fact]
    public void The_sample_of_the_configuration_page_loads()
    {
        var yaml = Blocks("configuration.md").First();

        var result = ConfigSamples.Load(yaml, new()
        {
            ["SHOP_PASSWORD"] = "x", ["STRIPE_KEY"] = "sk_test_x", ["STRIPE_WEBHOOK_SECRET"] = "whsec_x",
        });

        result.Findings.ShouldBeEmpty();
        result.Model.ShouldNotBeNull().Syncs.Keys.ShouldBe(["acme/customers"]);
    }

    [Fact]
    public void The_rules_of_the_mapping_page_compile()
    {
        var rules = string.Join('\n', Blocks("mapping.md").First().Split('\n').Select(static l => $"  {l}"));

        var result = ConfigSamples.Load(ConfigSamples.WithSync($"mapping:\n{rules}"));

        result.Findings.ShouldBeEmpty();
    }

    [Fact]
    public void Every_lens_is_on_the_mapping_page()
    {
        var page = File.ReadAllText(Page("mapping.md"));

        LensCatalog.Names.Where(n => !Regex.IsMatch(page, $@"[`{{ ]{n}[`:]")).ShouldBeEmpty();
    }

    private static IEnumerable<string> Blocks(string page) =>
        YamlBlock().Matches(File.ReadAllText(Page(page))).Select(static m => m.Groups[1].Value);

    private static string Page(string name)
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Duplex.slnx")))
            {
                return Path.Combine(at.FullName, "docs", name);
            }
        }

        throw new DirectoryNotFoundException("The tests do not run within the repository.");
    }

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex YamlBlock();
}
