using System.Globalization;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Files with documents that are sent to a server.</summary>
internal static class RegistryFile
{
    public static async Task<string> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, new FailureDocument(
                "command.usage", $"{path} cannot be read: {e.Message}", "file", "Check the path and its permissions."));
        }
    }

    /// <summary>A document in a few words.</summary>
    public static string Word(ActiveDocument? active) => active switch
    {
        null => "none",
        { Origin: "file" } => "file",
        _ => $"version {active.Version}",
    };

    /// <summary>Versions as a table.</summary>
    public static Table Table(IReadOnlyList<VersionDocument> versions)
    {
        var table = new Table().AddColumns("version", "origin", "made", "by", "in use", "from");
        foreach (var version in versions)
        {
            table.AddRow($"{version.Version}", version.Origin,
                version.CreatedAt?.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "",
                Markup.Escape(version.CreatedBy ?? ""), version.Active ? "yes" : "",
                Markup.Escape(string.Join(' ', version.Effective.Select(static p => $"{p.Topic}/{p.Partition}@{p.Offset}"))));
        }

        return table;
    }

    /// <summary>What putting or activating did, in a few lines.</summary>
    public static string Word(PutDocument put, string what)
    {
        var lines = new List<string>
        {
            $"{what}: version {put.Version} {(put.Active ? "is in use" : "is stored and not in use yet")}.",
        };
        lines.AddRange(put.Effective.Select(static p => $"  from offset {p.Offset} of {p.Topic}/{p.Partition} on"));
        lines.AddRange(put.Findings.Select(static f => $"  {f.Severity}: {f.Message}"));
        return string.Join('\n', lines) + "\n";
    }
}
