using Duplex.Engine.Config;
using Duplex.Sdk;
using Duplex.Server;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Duplex.Cli;

/// <summary>Reads the configuration with every connector that comes with Duplex.</summary>
internal static class ConfigFile
{
    public static ConfigResult Read(string path) =>
        ConfigLoader.LoadFile(path, new ConfigSources { Connectors = ConnectorCatalog.Standard.All });

    /// <summary>The configuration; a wrong one ends the command with everything that is wrong with it.</summary>
    public static (EngineModel Model, ServerModel Server, IReadOnlyList<FindingLine> Warnings) Require(string path)
    {
        var result = Read(path);
        var lines = result.Findings.Select(Line).ToList();
        if (result.Model is null || result.Server is null)
        {
            throw new CommandFailure(ExitCode.Findings, new FailureDocument(
                "config.invalid", $"{path} cannot be used: {Errors(lines)}.", null, null, lines));
        }

        return (result.Model, result.Server, lines);
    }

    /// <summary>The data directory that the file names, read even where the rest of the file is not valid yet; null if
    /// it names none.</summary>
    public static string? DataDirectory(string path)
    {
        try
        {
            using var reader = File.OpenText(path);
            var yaml = new YamlStream();
            yaml.Load(reader);
            var data = yaml.Documents is [{ RootNode: YamlMappingNode root }]
                && root.Children.TryGetValue(new YamlScalarNode("data"), out var node)
                    ? (node as YamlScalarNode)?.Value
                    : null;
            return data is null || data.Contains("${", StringComparison.Ordinal)
                ? null
                : Path.GetFullPath(data, Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception e) when (e is YamlException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static FindingLine Line(Finding finding) => new(
        finding.Severity.ToString().ToLowerInvariant(), finding.Code, finding.Path, finding.Location, finding.Message,
        finding.Suggestion);

    /// <summary>How many of the findings are errors, in words.</summary>
    public static string Errors(IReadOnlyList<FindingLine> lines) =>
        lines.Count(static l => l.Severity == "error") is var n && n == 1 ? "1 error" : $"{n} errors";
}
