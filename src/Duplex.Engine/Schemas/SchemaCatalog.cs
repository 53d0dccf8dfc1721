using System.Collections.Frozen;
using System.Text.Json;
using Duplex.Engine.Ingest;
using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>
/// The schemas of a folder, compiled: <c>internal/&lt;table&gt;.json</c> for what is taken, and
/// <c>external/&lt;customer&gt;/&lt;table&gt;.json</c> for what each customer is given. Immutable; another state of the
/// folder is another catalog.
/// </summary>
public sealed class SchemaCatalog
{
    private const int FilesMax = 10_000;
    private const int FileBytesMax = 1 << 20;
    private const string InternalFolder = "internal";
    private const string ExternalFolder = "external";

    private readonly FrozenDictionary<string, TableSchema> _internal;
    private readonly FrozenDictionary<(string Customer, string Table), TableSchema> _external;

    /// <summary>Makes a catalog of schemas that are compiled.</summary>
    public SchemaCatalog(
        IEnumerable<TableSchema> internalSchemas,
        IEnumerable<KeyValuePair<(string Customer, string Table), TableSchema>> externalSchemas)
    {
        _internal = internalSchemas.ToFrozenDictionary(static s => s.Table, StringComparer.Ordinal);
        _external = externalSchemas.ToFrozenDictionary();
    }

    /// <summary>A catalog of nothing.</summary>
    public static SchemaCatalog Empty { get; } = new([], []);

    /// <summary>The tables that have an internal schema.</summary>
    public IEnumerable<string> Tables => _internal.Keys;

    /// <summary>The customers and tables that have an external schema.</summary>
    public IEnumerable<(string Customer, string Table)> ExternalTables => _external.Keys;

    /// <summary>The schema of what is taken for a table; null if there is none.</summary>
    public TableSchema? Find(string table) => _internal.GetValueOrDefault(table);

    /// <summary>The schema of what a customer is given of a table; null if there is none.</summary>
    public TableSchema? FindExternal(string customer, string table) => _external.GetValueOrDefault((customer, table));

    /// <summary>Reads and compiles a folder. A schema that is wrong is a finding and is left out.</summary>
    public static (SchemaCatalog Catalog, IReadOnlyList<Finding> Findings) Load(string folder)
    {
        var findings = new List<Finding>();
        var internals = new List<TableSchema>();
        var externals = new Dictionary<(string, string), TableSchema>();
        try
        {
            foreach (var file in Files(Path.Combine(folder, InternalFolder)))
            {
                if (Read(file, InternalFolder, findings) is { } schema)
                {
                    internals.Add(schema);
                }
            }

            foreach (var customer in Folders(Path.Combine(folder, ExternalFolder)))
            {
                foreach (var file in Files(customer.FullName))
                {
                    if (Read(file, $"{ExternalFolder}/{customer.Name}", findings) is { } schema)
                    {
                        externals[(customer.Name, schema.Table)] = schema;
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            findings.Add(new Finding(FindingSeverity.Error, "schema.unreadable", null,
                "The folder of schemas cannot be read.", "Check its permissions."));
        }

        if (internals.Count == 0 && findings.Count == 0)
        {
            findings.Add(new Finding(FindingSeverity.Warning, "schema.none", null,
                "There is no schema, so that no event is taken.",
                $"Write one to {InternalFolder}/<table>.json in the folder of schemas."));
        }

        return (new SchemaCatalog(internals, externals), findings);
    }

    /// <summary>Compiles one schema document. Errors among the findings mean that there is no schema.</summary>
    /// <param name="table">The table that it is for.</param>
    /// <param name="utf8">The document.</param>
    /// <param name="name">What findings call it: <c>internal/users.json</c>.</param>
    /// <param name="findings">Where what is wrong goes.</param>
    public static TableSchema? Compile(
        string table, ReadOnlyMemory<byte> utf8, string name, ICollection<Finding> findings)
    {
        ArgumentNullException.ThrowIfNull(findings);
        var result = JsonSchema.Compile(utf8);
        foreach (var finding in result.Findings)
        {
            findings.Add(finding with { Path = null, Message = $"{name}{finding.Path}: {finding.Message}" });
        }

        return result.Schema is { } schema
            ? new TableSchema(table, instance => Breach(schema, instance),
                TableSchema.KeyFieldsOf(JsonElement.Parse(utf8.Span)))
            : null;
    }

    private static string? Breach(JsonSchema schema, JsonElement instance) => schema.IsValid(instance)
        ? null
        : JsonSchema.MostRelevant(schema.Validate(instance))?.Message ?? "it is not valid";

    private static TableSchema? Read(FileInfo file, string folder, List<Finding> findings)
    {
        var table = Path.GetFileNameWithoutExtension(file.Name);
        var name = $"{folder}/{file.Name}";
        if (!TableName.IsValid(table))
        {
            findings.Add(new Finding(FindingSeverity.Error, "schema.bad_name", null,
                $"{folder} has a schema of a table that cannot be named {TableName.Shown(table)}.",
                $"Use up to {TableName.LengthMax} letters, digits, _ and -."));
            return null;
        }

        if (file.Length > FileBytesMax)
        {
            findings.Add(new Finding(FindingSeverity.Error, "schema.too_large", null,
                $"{name} is larger than {FileBytesMax >> 10} kB.", "Split it up with $ref."));
            return null;
        }

        return Compile(table, File.ReadAllBytes(file.FullName), name, findings);
    }

    private static IEnumerable<FileInfo> Files(string folder) => Directory.Exists(folder)
        ? new DirectoryInfo(folder).EnumerateFiles("*.json").Take(FilesMax).OrderBy(static f => f.Name, StringComparer.Ordinal)
        : [];

    private static IEnumerable<DirectoryInfo> Folders(string folder) => Directory.Exists(folder)
        ? new DirectoryInfo(folder).EnumerateDirectories().OrderBy(static f => f.Name, StringComparer.Ordinal)
        : [];
}
