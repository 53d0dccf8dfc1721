using System.Collections.Frozen;
using Duplex.Engine.Ingest;
using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>
/// The schemas of what is taken, compiled from a folder's <c>internal/&lt;table&gt;.json</c>. Immutable; another state of the folder is
/// another catalog.
/// </summary>
public sealed class SchemaCatalog
{
    private const int FilesMax = 10_000;
    private const string InternalFolder = SchemaAddress.InternalFolder;

    private readonly FrozenDictionary<string, TableSchema> _internal;

    /// <summary>Makes a catalog of schemas that are compiled.</summary>
    public SchemaCatalog(IEnumerable<TableSchema> schemas) =>
        _internal = schemas.ToFrozenDictionary(static s => s.Table, StringComparer.Ordinal);

    /// <summary>A catalog of nothing.</summary>
    public static SchemaCatalog Empty { get; } = new([]);

    /// <summary>The tables that have an internal schema.</summary>
    public IEnumerable<string> Tables => _internal.Keys;

    /// <summary>The files that schemas may refer to, those of the tables among them.</summary>
    public SchemaSet Documents { get; init; } = SchemaSet.Empty;

    /// <summary>The schema of what is taken for a table; null if there is none.</summary>
    public TableSchema? Find(string table) => _internal.GetValueOrDefault(table);

    /// <summary>Reads and compiles a folder. A schema that is wrong is a finding and is left out.</summary>
    public static (SchemaCatalog Catalog, IReadOnlyList<Finding> Findings) Load(string folder)
    {
        var findings = new List<Finding>();
        var internals = new List<TableSchema>();
        var documents = SchemaSet.Empty;
        try
        {
            var path = Path.Combine(folder, InternalFolder);
            documents = SchemaFolder.Read(path, InternalFolder, findings, static name => !name.Contains('/'));
            foreach (var file in Files(path))
            {
                if (Read(file, InternalFolder, documents, findings) is { } schema)
                {
                    internals.Add(schema);
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

        return (new SchemaCatalog(internals) { Documents = documents }, findings);
    }

    /// <summary>Compiles one schema document. Errors among the findings mean that there is no schema.</summary>
    /// <param name="table">The table that it is for.</param>
    /// <param name="utf8">The document.</param>
    /// <param name="name">What findings call it: <c>internal/users.json</c>.</param>
    /// <param name="known">What it may refer to.</param>
    /// <param name="findings">Where what is wrong goes.</param>
    public static TableSchema? Compile(
        string table, ReadOnlyMemory<byte> utf8, string name, SchemaSet known, ICollection<Finding> findings)
    {
        ArgumentNullException.ThrowIfNull(findings);
        ArgumentNullException.ThrowIfNull(known);
        var address = SchemaAddress.Internal(table);
        var result = JsonSchema.Compile(utf8, known.Without(address), new SchemaOptions { BaseUri = address });
        foreach (var finding in result.Findings)
        {
            var place = finding.Path?.StartsWith(SchemaAddress.Root, StringComparison.Ordinal) == true
                ? SchemaAddress.Shown(finding.Path) : $"{name}{finding.Path}";
            findings.Add(finding with { Path = null, Message = $"{place}: {finding.Message}" });
        }

        return result is { Schema: { } schema, Source: { } source }
            ? new TableSchema(table, schema.Breach, TableSchema.KeyFieldsOf(source.Whole)) { Source = source }
            : null;
    }

    private static TableSchema? Read(FileInfo file, string folder, SchemaSet known, List<Finding> findings)
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

        if (file.Length > SchemaFolder.FileBytesMax)
        {
            findings.Add(new Finding(FindingSeverity.Error, "schema.too_large", null,
                $"{name} is larger than {SchemaFolder.FileBytesMax >> 10} kB.", "Split it up with $ref."));
            return null;
        }

        return Compile(table, File.ReadAllBytes(file.FullName), name, known, findings);
    }

    private static IEnumerable<FileInfo> Files(string folder) => Directory.Exists(folder)
        ? new DirectoryInfo(folder).EnumerateFiles("*.json").Take(FilesMax).OrderBy(static f => f.Name, StringComparer.Ordinal)
        : [];
}
