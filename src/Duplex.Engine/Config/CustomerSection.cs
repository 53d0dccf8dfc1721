using System.Globalization;
using System.Text;
using Duplex.Engine.Feeds;
using Duplex.Engine.Log;
using Duplex.Engine.Mapping.Output;
using Duplex.Engine.Schemas;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>Reads <c>customers:</c> and the mapping and schema files that it names.</summary>
internal sealed class CustomerSection(ConfigReport report, References references, string directory, KafkaModel? kafka = null)
{
    private const int FileBytesMax = 1 << 20;

    private static readonly string[] Extensions = [".yaml", ".yml", ".json"];

    public IReadOnlyDictionary<string, CustomerModel> ReadAll(Section root)
    {
        var models = new Dictionary<string, CustomerModel>(StringComparer.Ordinal);
        foreach (var (name, value) in root.Map("customers")?.Members ?? [])
        {
            if (ConfigNames.Check(name, "A customer", report)
                && root.Expect<MapNode>(value, name.Text, "a map") is { } map && ReadOne(name.Text, map) is { } model)
            {
                models.Add(model.Name, model);
            }
        }

        return models;
    }

    /// <summary>The mappings of customers that have none of their own, by table.</summary>
    public IReadOnlyDictionary<string, MappingDocument> ReadGlobal(Section root)
    {
        var mappings = new Dictionary<string, MappingDocument>(StringComparer.Ordinal);
        var folder = Path.GetFullPath(Path.Combine("mappings", "global"), directory);
        if (!Directory.Exists(folder))
        {
            return mappings;
        }

        foreach (var path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)
            .Where(static p => Extensions.Contains(Path.GetExtension(p))))
        {
            var table = Path.GetFileNameWithoutExtension(path);
            if (ReadText(path, root.Node) is { } text)
            {
                var (mapping, findings) = MappingDocument.Read(text, Shown(path), table);
                foreach (var finding in findings)
                {
                    report.AddFrom(finding);
                }

                if (mapping is not null)
                {
                    mappings.TryAdd(table, mapping);
                }
            }
        }

        return mappings;
    }

    private CustomerModel? ReadOne(string name, MapNode map)
    {
        var before = report.Errors;
        var section = new Section(map, $"The customer {name}", report, references);
        var tenant = section.Text("tenant") ?? TableTopics.DefaultTenant;
        ConfigNames.Check(map.Find("tenant") ?? map, tenant, "A tenant", report);
        var folders = new Folders(
            Path.GetFullPath(section.Text("mappings") ?? Path.Combine("mappings", name), directory),
            Path.GetFullPath(Path.Combine("mappings", "global"), directory),
            Path.GetFullPath(section.Text("schemas") ?? Path.Combine("schemas", "external", name), directory))
        {
            Customer = name,
        };
        folders.Documents = ReadDocuments(map, name, folders.Schemas);
        var tables = new Dictionary<string, TableModel>(StringComparer.Ordinal);
        foreach (var (table, node) in TableNodes(section))
        {
            if (ReadTable(table, node, folders) is { } model)
            {
                tables[table] = model;
            }
        }

        var start = Start(section);
        var retention = Retention(section);
        var push = new PushSection(report, references, kafka).Read(section, name, tenant);
        section.Close();
        return report.Errors > before ? null : new CustomerModel
        {
            Name = name,
            Tenant = tenant,
            Tables = tables,
            Documents = folders.Documents,
            Start = start,
            Push = push,
            Feed = new FeedSpec(name, retention.Age, retention.Bytes),
            Path = map.Pointer,
        };
    }

    /// <summary>The tables that a customer names.</summary>
    public IEnumerable<(string Table, ConfigNode Node)> TableNodes(Section section)
    {
        switch (section.Needed("tables", "Add tables: [ users ] with the tables that the customer gets."))
        {
            case ListNode list:
                foreach (var item in list.Items)
                {
                    if (section.Expect<ScalarNode>(item, "A table", "a name") is { } table
                        && ConfigNames.Check(table, "A table", report))
                    {
                        yield return (table.Text, item);
                    }
                }

                break;
            case { } other:
                section.Expect<ListNode>(other, "tables", "a list of names", "Write tables: [ users, orders ].");
                break;
        }
    }

    private TableModel? ReadTable(string table, ConfigNode node, Folders folders)
    {
        var path = Extensions.SelectMany(e => (string[])[Path.Combine(folders.Mappings, table + e)])
            .Concat(Extensions.Select(e => Path.Combine(folders.GlobalMappings, table + e))).FirstOrDefault(File.Exists);
        if (path is null)
        {
            report.Error("config.no_mapping", node, $"There is no mapping of {table}.",
                $"Write {Shown(Path.Combine(folders.Mappings, table + ".yaml"))}, or one for all customers: "
                + $"{Shown(Path.Combine(folders.GlobalMappings, table + ".yaml"))}.");
            return null;
        }

        if (ReadText(path, node) is not { } text)
        {
            return null;
        }

        var (mapping, findings) = MappingDocument.Read(text, Shown(path), table);
        foreach (var finding in findings)
        {
            report.AddFrom(finding);
        }

        if (!ReadSchema(table, node, folders, out var schema) || mapping is null)
        {
            return null;
        }

        foreach (var finding in OutputFit.Check(mapping.Mapping, schema, table))
        {
            report.AddFrom(finding with { Location = Shown(path) });
        }

        return new TableModel(table, mapping, schema);
    }

    private bool ReadSchema(string table, ConfigNode node, Folders folders, out OutputSchema? schema)
    {
        schema = null;
        var path = Path.Combine(folders.Schemas, table + ".json");
        if (!File.Exists(path))
        {
            return true;
        }

        if (ReadText(path, node) is not { } text)
        {
            return false;
        }

        (schema, var findings) = OutputSchema.Compile(
            text, folders.Documents, SchemaAddress.External(folders.Customer, table));
        foreach (var finding in findings)
        {
            report.AddFrom(finding with { Location = Shown(path) });
        }

        return schema is not null;
    }

    private SchemaSet ReadDocuments(ConfigNode at, string customer, string folder)
    {
        var findings = new List<Finding>();
        try
        {
            var documents = SchemaFolder.Read(folder, SchemaAddress.ExternalFolder(customer), findings, static _ => false);
            foreach (var finding in findings)
            {
                report.Add(finding.Severity, finding.Code, at, finding.Message, finding.Suggestion);
            }

            return documents;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Error("config.unreadable", at, $"{Shown(folder)} cannot be read.", "Check its permissions.");
            return SchemaSet.Empty;
        }
    }

    private string? ReadText(string path, ConfigNode node)
    {
        try
        {
            if (new FileInfo(path).Length <= FileBytesMax)
            {
                return File.ReadAllText(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
            }

            report.Error("config.too_large", node, $"{Shown(path)} is larger than {FileBytesMax >> 10} kB.", "Split it up.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Error("config.unreadable", node, $"{Shown(path)} cannot be read.", "Check its permissions.");
        }
        catch (DecoderFallbackException)
        {
            report.Error("config.syntax", node, $"{Shown(path)} is not UTF-8.", "Save it as UTF-8.");
        }

        return null;
    }

    /// <summary>Where a customer begins.</summary>
    public FeedStart Start(Section section)
    {
        if (section.Any("start") is not { } node)
        {
            return FeedStart.Latest;
        }

        if (node is MapNode map)
        {
            return new StartOffsets(report, references).Read(map);
        }

        if (section.Expect<ScalarNode>(node, "start", "a word, a time or offsets") is not { } scalar)
        {
            return FeedStart.Latest;
        }

        switch (scalar.Text.ToLowerInvariant())
        {
            case "latest":
                return FeedStart.Latest;
            case "earliest":
                return new FeedStart(FeedStartKind.Earliest);
            default:
                if (DateTimeOffset.TryParse(scalar.Text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
                {
                    return new FeedStart(FeedStartKind.Time, time);
                }

                report.Error("config.bad_value", scalar, "start must be latest, earliest, a time or offsets.",
                    "For example 2026-01-31T00:00:00Z.");
                return FeedStart.Latest;
        }
    }

    /// <summary>What a customer's feed keeps.</summary>
    public (TimeSpan Age, long Bytes) Retention(Section customer)
    {
        var (age, bytes) = (TimeSpan.FromDays(7), 8L << 30);
        if (customer.Map("retention") is { } map)
        {
            var section = new Section(map, "retention", report, references);
            (age, bytes) = (section.Duration("age", age), section.Size("bytes", bytes, 1 << 20, 1L << 50));
            section.Close();
        }

        return (age, bytes);
    }

    /// <summary>A path as people know it: from the configuration's folder.</summary>
    private string Shown(string path) => Path.GetRelativePath(directory, path).Replace('\\', '/');

    private sealed record Folders(string Mappings, string GlobalMappings, string Schemas)
    {
        public required string Customer { get; init; }

        public SchemaSet Documents { get; set; } = SchemaSet.Empty;
    }
}
