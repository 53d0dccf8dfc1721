using System.Text;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>
/// Reads <c>duplex.yaml</c>. Every error is reported at once, with its line and its fix; nothing outside the file is
/// asked except environment variables, the secret store and the folder of schemas.
/// </summary>
public static class ConfigLoader
{
    private static readonly string[] OtherStores = ["state", "budgets"];

    /// <summary>Reads a file. A file that cannot be read is a finding.</summary>
    public static ConfigResult LoadFile(string path, ConfigSources sources)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length > 4L * YamlTree.LengthMax)
            {
                return Unreadable(path, "config.too_large", $"{path} is larger than {YamlTree.LengthMax >> 10} kB.",
                    "Split it up.");
            }

            var yaml = File.ReadAllText(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
            return Load(yaml, path, sources);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Unreadable(path, "config.not_found", $"There is no file {path}.", "Create one: duplex init");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Unreadable(path, "config.unreadable", $"{path} cannot be read.", "Check its permissions.");
        }
        catch (DecoderFallbackException)
        {
            return Unreadable(path, "config.syntax", $"{path} is not UTF-8.", "Save it as UTF-8.");
        }
    }

    /// <summary>Reads the text of a file.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="file">The file's path, for findings and as the base of relative paths; it need not exist.</param>
    /// <param name="sources">What it may refer to.</param>
    public static ConfigResult Load(string yaml, string file, ConfigSources sources)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        ArgumentException.ThrowIfNullOrEmpty(file);
        ArgumentNullException.ThrowIfNull(sources);
        var report = new ConfigReport(Path.GetFileName(file));
        var root = YamlTree.Read(yaml, report);
        if (root is not MapNode map)
        {
            if (!report.HasErrors)
            {
                report.Error("config.missing", root ?? new ScalarNode("", 1, 1, "", false),
                    "The file configures nothing.", "Begin with connections: and syncs:, or run duplex init.");
            }

            return new ConfigResult(null, null, report.Findings, report.Places);
        }

        return Load(map, file, sources, report);
    }

    private static ConfigResult Load(MapNode root, string file, ConfigSources sources, ConfigReport report)
    {
        var directory = Path.GetFullPath(Path.GetDirectoryName(Path.GetFullPath(file)) ?? ".");
        var data = Path.Combine(directory, "data");
        var references = new References(report, sources.Environment, () => sources.Secrets(data));
        var section = new Section(root, "The file", report, references);
        data = DataDirectory(section, directory, report) ?? data;
        var server = ServerSection.Read(section, report, references);
        var retention = RetentionSection.Read(section, report, references);
        var log = LogSection.Read(section, report, references);
        var ingest = IngestSection.Read(section, directory, log.Partitions, report, references);
        var connections = ConnectionSection.ReadAll(section, sources, report, references);
        var syncs = SyncSection.ReadAll(section, connections, report, references);
        var customerSection = new CustomerSection(report, references, directory, log.Kafka);
        var customers = customerSection.ReadAll(section);
        var globalMappings = customerSection.ReadGlobal(section);
        var feeds = FeedSection.Read(section, report, references);
        foreach (var store in OtherStores)
        {
            if (root.Find(store) is not null && section.Any(store) is { } other)
            {
                report.Error("config.not_available", other,
                    $"{store}: this server keeps it in the data directory only.",
                    $"Remove {store}.");
            }
        }

        section.Close();
        if (report.HasErrors)
        {
            return new ConfigResult(null, null, report.Findings, report.Places);
        }

        var model = new EngineModel
        {
            DataDirectory = data,
            Connections = connections.Models,
            Syncs = syncs,
            Customers = customers,
            GlobalMappings = globalMappings,
            Retention = retention,
            Ingest = ingest,
            Log = log,
            Feeds = feeds,
        };
        return new ConfigResult(model, server, report.Findings, report.Places);
    }

    private static string? DataDirectory(Section section, string directory, ConfigReport report)
    {
        if (section.Text("data") is not { } text)
        {
            return null;
        }

        if (text.Length is 0 or > 1024 || text.Any(char.IsControl))
        {
            report.Error("config.bad_value", section.Any("data")!, "data must be the path of a directory.",
                "For example ./data.");
            return null;
        }

        return Path.GetFullPath(text, directory);
    }

    private static ConfigResult Unreadable(string path, string code, string message, string suggestion) =>
        new(null, null, [new Finding(FindingSeverity.Error, code, null, message, suggestion) { Location = path }],
            new Dictionary<string, string>());
}
