using System.Text.RegularExpressions;
using Duplex.Sdk;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Shouldly;
using Xunit;

namespace Duplex.Tidy;

public sealed partial class DocumentTests
{
    [Fact]
    public void Links_lead_somewhere() => Repository.Markdown
        .SelectMany(f => DocumentRules.Links(f, Repository.Has, p => File.ReadAllText(Repository.Full(p))))
            .ShouldBeTidy();

    [Fact]
    public void Paths_that_documents_name_exist() =>
        Repository.Markdown.SelectMany(f => DocumentRules.Paths(f, Repository.Has)).ShouldBeTidy();

    [Fact]
    public void Every_error_code_is_documented_and_no_other()
    {
        var documented = ErrorRow().Matches(Repository.Read("docs/errors.md").Text).Select(m => m.Groups[1].Value);
        documented.Order(StringComparer.Ordinal)
            .ShouldBe(Enum.GetValues<ErrorCode>().Select(ErrorCodes.Dotted).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_invariant_is_held_by_tests_that_exist()
    {
        var tests = Repository.CSharp.Where(f => f.IsUnder("tests"))
            .SelectMany(f => f.Syntax.DescendantNodes().OfType<MethodDeclarationSyntax>())
            .Select(m => $"{((m.Parent as ClassDeclarationSyntax)?.Identifier.ValueText)}.{m.Identifier.ValueText}")
            .ToHashSet(StringComparer.Ordinal);
        var document = Repository.Read("docs/invariants.md");
        var headings = InvariantHeading().Matches(document.Text).Select(m => int.Parse(m.Groups[1].Value)).ToList();
        headings.ShouldBe(Enumerable.Range(1, headings.Count));
        foreach (string section in InvariantSection().Split(document.Text).Skip(1))
        {
            string name = section.Split('\n')[0];
            string[] cited = [.. CitedTest().Matches(section).Select(m => m.Groups[1].Value)];
            cited.ShouldNotBeEmpty($"I{name} names no test");
            cited.Where(c => !tests.Contains(c)).ShouldBeEmpty($"I{name} names a test that does not exist");
        }
    }

    [Fact]
    public void Invariants_that_the_code_cites_exist()
    {
        var known = InvariantHeading().Matches(Repository.Read("docs/invariants.md").Text)
            .Select(m => m.Groups[1].Value).ToHashSet();
        var offences = from file in Repository.CSharp
                       where !file.IsUnder("tests/Duplex.Tidy")
                       from line in file.Lines.Index()
                       from Match match in CitedInvariant().Matches(line.Item)
                       where !known.Contains(match.Groups[1].Value)
                       select new Offence(file.Path, line.Index + 1,
                           $"cites I{match.Groups[1].Value}, which does not exist");
        offences.ShouldBeTidy();
    }

    [Fact]
    public void A_link_to_nowhere_is_found()
    {
        var file = new SourceFile("docs/a.md", "See [b](../b.md), [c](c.md#some-words) and `src/Nowhere`.\n");
        DocumentRules.Links(file, p => p == "docs/c.md", _ => "# Other words\n").Count().ShouldBe(2);
        DocumentRules.Links(file, _ => true, _ => "# Some words\n").ShouldBeEmpty();
        DocumentRules.Paths(file, _ => false).ShouldHaveSingleItem();
    }

    [GeneratedRegex(@"^\| `([a-z_.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex ErrorRow();

    [GeneratedRegex(@"^## I(\d+) ", RegexOptions.Multiline)]
    private static partial Regex InvariantHeading();

    [GeneratedRegex("^## I", RegexOptions.Multiline)]
    private static partial Regex InvariantSection();

    [GeneratedRegex(@"`(\w+\.\w+)`(?=[,.;\n ])")]
    private static partial Regex CitedTest();

    [GeneratedRegex(@"//.*\bI(\d+):")]
    private static partial Regex CitedInvariant();
}
