using Duplex.Engine.Schemas;

namespace Duplex.Engine.Config;

/// <summary>Reads <c>ingest:</c>, and the schemas in the folder that it names.</summary>
internal static class IngestSection
{
    private const string Name = "ingest";

    /// <summary>Whether the file has the section, so that it needs no connections.</summary>
    public static bool IsIn(MapNode root) => root.Find(Name) is not null;

    /// <summary>Reads the section.</summary>
    /// <param name="root">The file.</param>
    /// <param name="directory">What the folder is relative to.</param>
    /// <param name="partitions">Partitions of a topic where the section does not say; null for as many as usual.</param>
    /// <param name="report">Takes findings.</param>
    /// <param name="references">Expands values.</param>
    public static IngestModel? Read(
        Section root, string directory, int? partitions, ConfigReport report, References references)
    {
        if (root.Any(Name) is not { } found)
        {
            // "ingest:" with nothing behind it asks for the defaults.
            return root.Node.Find(Name) is { } empty ? Default(empty, directory, partitions, report) : null;
        }

        if (root.Expect<MapNode>(found, Name, "a map") is not { } map)
        {
            return null;
        }

        var section = new Section(map, Name, report, references);
        var folder = Path.GetFullPath(section.Text("schemas") ?? "schemas", directory);
        var model = new IngestModel
        {
            SchemaDirectory = folder,
            Schemas = Load(folder, map.Find("schemas") ?? map, report),
            Partitions = (int)section.Whole("partitions", partitions ?? IngestModel.PartitionsUsual, 1, IngestModel.PartitionsMax),
            BodyBytesMax = (int)section.Size("max_body", 1 << 20, 1 << 10, 16 << 20),
            InFlightBytesMax = section.Size("max_in_flight", 64L << 20, 1 << 10, 4L << 30),
        };
        section.Close();
        return model;
    }

    private static IngestModel Default(ConfigNode at, string directory, int? partitions, ConfigReport report)
    {
        var folder = Path.GetFullPath("schemas", directory);
        return new IngestModel
        {
            SchemaDirectory = folder,
            Schemas = Load(folder, at, report),
            Partitions = partitions ?? IngestModel.PartitionsUsual,
        };
    }

    private static SchemaCatalog Load(string folder, ConfigNode at, ConfigReport report)
    {
        var (catalog, findings) = SchemaCatalog.Load(folder);
        foreach (var finding in findings)
        {
            report.Add(finding.Severity, finding.Code, at, finding.Message, finding.Suggestion);
        }

        return catalog;
    }
}
