using System.Xml.Linq;
using Shouldly;
using Xunit;

namespace Duplex.Tidy;

public sealed class ProjectTests
{
    /// <summary>What may stand at the root; each other path starts with a folder's name.</summary>
    private static readonly string[] _root =
    [
        "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE", "Duplex.slnx", "Directory.Build.props",
        "Directory.Packages.props", "Directory.Build.targets", ".editorconfig", ".gitignore", ".gitattributes",
        "global.json",
        "compose.yaml", "Dockerfile", ".dockerignore", "run", "test",
    ];

    private static readonly string[] _rootFolders =
        [".ci", "bench", "connectors", "docs", "eng", "simulators", "src", "tests", "examples"];

    [Fact]
    public void The_root_holds_only_what_belongs_there() =>
        Repository.Paths.Where(p => p.Split('/') is { Length: 1 } alone
            ? !_root.Contains(alone[0]) : !_rootFolders.Contains(p.Split('/')[0]))
            .ShouldBeEmpty();

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var listed = XDocument.Load(Repository.Full("Duplex.slnx")).Descendants("Project")
            .Select(p => p.Attribute("Path")!.Value.Replace('\\', '/')).Order(StringComparer.Ordinal);
        listed.ShouldBe(Repository.Projects.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Projects_depend_in_one_direction_only()
    {
        var offences = from project in Repository.Projects
                       from reference in References(project)
                       where !Dependencies.Allows(project, reference)
                       select new Offence(project, 1, $"may not depend on {reference}");
        offences.ShouldBeTidy();
    }

    [Fact]
    public void Package_versions_are_central_and_exact()
    {
        XDocument.Load(Repository.Full("Directory.Packages.props")).Descendants("PackageVersion")
            .Where(p => p.Attribute("Version")!.Value.Any(c => c is '*' or '[' or '(' or ',')).ShouldBeEmpty();
        Repository.Projects.Where(p => XDocument.Load(Repository.Full(p)).Descendants("PackageReference")
            .Any(r => r.Attribute("Version") is not null)).ShouldBeEmpty();
    }

    [Fact]
    public void The_scripts_can_be_run()
    {
        if (OperatingSystem.IsWindows())
            return;
        foreach (string script in new[] { "test", ".ci/run", "run" }.Where(Repository.Has))
            File.GetUnixFileMode(Repository.Full(script)).HasFlag(UnixFileMode.UserExecute).ShouldBeTrue(script);
    }

    [Theory]
    [InlineData("src/Duplex.Engine/Duplex.Engine.csproj", "connectors/Stripe/Duplex.Connectors.Stripe.csproj")]
    [InlineData("src/Duplex.Sdk/Duplex.Sdk.csproj", "src/Duplex.Engine/Duplex.Engine.csproj")]
    [InlineData("connectors/Stripe/S.csproj", "src/Duplex.Engine/Duplex.Engine.csproj")]
    [InlineData("connectors/Stripe/S.csproj", "connectors/Postgres/P.csproj")]
    [InlineData("src/Duplex.Server/Duplex.Server.csproj", "tests/Duplex.Engine.Tests/Duplex.Engine.Tests.csproj")]
    [InlineData("simulators/Stripe/S.csproj", "connectors/Stripe/S.csproj")]
    public void A_dependency_against_the_direction_is_refused(string from, string to) =>
        Dependencies.Allows(from, to).ShouldBeFalse();

    private static IEnumerable<string> References(string project) =>
        XDocument.Load(Repository.Full(project)).Descendants("ProjectReference")
            .Select(r =>
                Path.GetRelativePath(Repository.Root, Path.GetFullPath(r.Attribute("Include")!.Value.Replace('\\', '/'),
                Path.GetDirectoryName(Repository.Full(project))!)).Replace('\\', '/'));
}
