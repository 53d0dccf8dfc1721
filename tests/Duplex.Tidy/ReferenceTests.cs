using System.Text.RegularExpressions;
using Duplex.Connectors.Postgres;
using Duplex.Connectors.Stripe;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Tidy;

/// <summary>The reference documents say what the code says.</summary>
public sealed partial class ReferenceTests
{
    private static readonly IConnector[] _connectors = [new PostgresConnector(), new StripeConnector()];

    [Fact]
    public void Every_setting_of_every_connector_is_documented_as_its_spec_declares_it()
    {
        string document = Repository.Read("docs/configuration.md").Text;
        foreach (var spec in _connectors.Select(c => c.Spec))
        {
            string section = Section(document, $"### {spec.Name}");
            string table = string.Join('\n', spec.Settings.Select(Row));
            section.Contains(table, StringComparison.Ordinal)
                .ShouldBeTrue($"docs/configuration.md, {spec.Name}, should say\n{table}\n");
        }
    }

    [Fact]
    public void Every_lens_is_documented()
    {
        string document = Repository.Read("docs/mapping.md").Text;
        LensCatalog.Names.Where(n => !Regex.IsMatch(document, $@"^\| [^|]*`(\{{ )?{n}\b", RegexOptions.Multiline))
            .ShouldBeEmpty();
    }

    [Fact]
    public void Every_example_of_a_configuration_is_a_valid_one()
    {
        var examples = Repository.Markdown.SelectMany(f => Fence().Matches(f.Text)
            .Select(m => (f.Path, Yaml: m.Groups[1].Value))).ToList();
        examples.Count(e => e.Yaml.Contains("connections:", StringComparison.Ordinal)).ShouldBeGreaterThan(0);
        foreach (var (path, yaml) in examples)
        {
            if (Regex.IsMatch(yaml, "^rules:", RegexOptions.Multiline))
            {
                MappingDocument.Read(yaml, path, "users").Findings.ShouldBeEmpty();
                continue;
            }

            string whole = yaml.StartsWith("- ", StringComparison.Ordinal) ? Around(yaml) : yaml;
            var result = ConfigLoader.Load(whole, Path.Combine(Repository.Root, "examples/multi-customer/duplex.yaml"), new ConfigSources
            {
                Connectors = _connectors,
                Environment = static _ => "0123456789abcdef",
            });
            result.Findings.Where(f => f.Severity == FindingSeverity.Error).Select(f => $"{path}: {f.Message}")
                .ShouldBeEmpty();
        }
    }

    private static string Around(string rules) => $$"""
        connections:
          shop: { connector: postgres, database: shop, username: duplex }
          billing: { connector: stripe, api_key: sk_test_1 }
        syncs:
          customers:
            a: { connection: shop, stream: public.customers }
            b: { connection: billing, stream: customers }
            mapping:
        {{string.Concat(rules.Split('\n').Select(line => $"      {line}\n"))}}
        """;

    private static string Section(string document, string heading)
    {
        int start = document.IndexOf(heading + "\n", StringComparison.Ordinal);
        start.ShouldBeGreaterThanOrEqualTo(0, $"docs/configuration.md has no {heading}");
        int end = document.IndexOf("\n#", start + heading.Length, StringComparison.Ordinal);
        return end < 0 ? document[start..] : document[start..end];
    }

    private static string Row(Setting setting)
    {
        string choices = setting.TypeName.Contains('|')
            ? $" One of {string.Join(", ", setting.TypeName.Split(" | ").Select(t => $"`{t}`"))}."
            : "";
        string fallback = setting.Required ? "required" : setting.DefaultText is { } text ? $"`{text}`" : "";
        return $"| `{setting.Name}` | {setting.Doc}{choices}{(setting.Secret ? " Secret." : "")} | {fallback} |";
    }

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fence();
}
