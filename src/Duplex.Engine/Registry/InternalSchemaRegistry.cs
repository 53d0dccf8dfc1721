using System.Text;
using System.Text.Json;
using Duplex.Engine.Ingest;
using Duplex.Engine.Schemas;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>The versions of the schemas of what is taken.
/// Members may be called from many tasks at once; changes are made one by one.</summary>
public sealed class InternalSchemaRegistry
{
    private const int InternalSchemasMax = 4_096;

    private readonly RegistryCore _core;

    internal InternalSchemaRegistry(RegistryCore core) => _core = core;

    /// <summary>The tables that have an internal schema, with the version in use; null is the file's.</summary>
    public async Task<IReadOnlyDictionary<string, int?>> InternalTablesAsync(CancellationToken cancellationToken)
    {
        var tables = new SortedDictionary<string, int?>(StringComparer.Ordinal);
        foreach (var table in _core.Door?.Schemas.Tables ?? [])
        {
            tables[table] = null;
        }

        foreach (var (name, text) in await _core.Parts.Store.ListValuesAsync(StoredNames.ActiveSchemas, cancellationToken))
        {
            tables[name[StoredNames.ActiveSchemas.Length..]] = StoredNames.Read<StoredActive>(text).Version;
        }

        return tables;
    }

    /// <summary>The versions of the schema of what is taken for a table, the file's first where there is one.</summary>
    public async Task<IReadOnlyList<VersionView>> InternalSchemasAsync(string table, CancellationToken cancellationToken)
    {
        var active = await ActiveAsync(table, cancellationToken);
        var versions = new List<VersionView>();
        if (FileSchema(table) is { } file)
        {
            versions.Add(new VersionView(0, Origin.File, null, null, active is null, file, []));
        }

        foreach (var (version, stored) in await _core.Forms.VersionsAsync(StoredNames.InternalSchemas(table), cancellationToken))
        {
            versions.Add(new VersionView(
                version, Origin.Api, RegistryCore.At(stored), stored.By, active == version, stored.Document, []));
        }

        return versions.Count > 0 ? versions : throw new RegistryException(RegistryFault.Unknown,
            "request.unknown_schema", $"There is no internal schema of {table}.", "PUT /v1/schemas/internal/{table} makes one.");
    }

    /// <summary>Stores a version of the schema of what is taken for a table, and takes it into use for all events that come from
    /// then on. A document that is the same as the active version's changes nothing.</summary>
    /// <exception cref="RegistryException">It is no schema, or refuses what the active one accepts; nothing was
    /// stored.</exception>
    public async Task<PutOutcome> PutInternalSchemaAsync(
        string table, string document, SchemaNote note, CancellationToken cancellationToken)
    {
        var door = _core.Door ?? throw new RegistryException(RegistryFault.Conflict, "ingest.off",
            "This server takes no posted events.", "Add ingest: to the configuration.");
        if (!TableName.IsValid(table))
        {
            throw new RegistryException(RegistryFault.Invalid, "schema.bad_name", "A table cannot have this name.",
                $"Use up to {TableName.LengthMax} letters, digits, _ and -.");
        }

        await _core.One.WaitAsync(cancellationToken);
        try
        {
            var findings = new List<Finding>();
            var schema = Compile(table, document, Known(door.Schemas), findings)
                ?? throw SchemaRegistry.SchemaInvalid(table, findings);
            if (door.Schemas.Find(table) is null && door.Schemas.Tables.Count() >= InternalSchemasMax)
            {
                throw new RegistryException(RegistryFault.Conflict, "schema.too_many",
                    $"There are {InternalSchemasMax} internal schemas already.", "Put the records into fewer tables.");
            }

            var active = await ActiveAsync(table, cancellationToken);
            if (door.Schemas.Find(table)?.Source is { } before)
            {
                if (schema.Source!.IsSame(before))
                {
                    return new PutOutcome(active ?? 0, true, [], findings);
                }

                findings.AddRange(SchemaRegistry.RequireCompatible(before, schema.Source, table, note));
            }

            findings.AddRange(SchemaRegistry.Pinned(table, Referrers(table)));

            var (version, mutations) = await _core.AddVersionAsync(
                StoredNames.InternalSchemas(table), document, note.By, cancellationToken, schema.Source);
            await _core.CommitAsync([.. mutations, new StateMutation.PutValue(StoredNames.ActiveSchema(table),
                StoredNames.Write(new StoredActive(version, _core.Parts.Clock.NowMicros())))], cancellationToken);
            await door.UseAsync(With(door.Schemas, [schema]), CancellationToken.None);
            return new PutOutcome(version, true, [], findings);
        }
        finally
        {
            _core.One.Release();
        }
    }

    /// <summary>Puts the stored schemas over those of the files.</summary>
    internal async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (_core.Door is not { } door)
        {
            return;
        }

        var stored = new List<TableSchema>();
        foreach (var (table, version) in await InternalTablesAsync(cancellationToken))
        {
            if (version is { } number
                && await _core.Forms.VersionAsync(StoredNames.InternalSchemas(table), number, cancellationToken) is { } document
                && Compile(table, document.Document, SchemaSource.SetOf(document.References), []) is { } schema)
            {
                stored.Add(schema);
            }
        }

        if (stored.Count > 0)
        {
            await door.UseAsync(With(door.Schemas, stored), cancellationToken);
        }
    }

    private async Task<int?> ActiveAsync(string table, CancellationToken cancellationToken) =>
        await _core.Parts.Store.ReadValueAsync(StoredNames.ActiveSchema(table), cancellationToken) is { } text
            ? StoredNames.Read<StoredActive>(text).Version : null;

    private string? FileSchema(string table)
    {
        if (_core.Parts.Model.Ingest is not { } ingest || ingest.Schemas.Find(table) is null)
        {
            return null;
        }

        try
        {
            return File.ReadAllText(Path.Combine(ingest.SchemaDirectory, "internal", $"{table}.json"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The other tables whose schema refers to this one's.</summary>
    public IReadOnlyList<string> Referrers(string table)
    {
        var address = SchemaAddress.Internal(table);
        return _core.Door is not { } door ? [] :
        [
            .. door.Schemas.Tables.Where(t => t != table
                && door.Schemas.Find(t)?.Source?.References.ContainsKey(address) == true).Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>The files, and over them what is in use.</summary>
    private static SchemaSet Known(SchemaCatalog catalog) => catalog.Documents.With(
        catalog.Tables.Select(catalog.Find).Where(static s => s!.Source is not null).Select(static s =>
            new KeyValuePair<string, ReadOnlyMemory<byte>>(
                SchemaAddress.Internal(s!.Table), Encoding.UTF8.GetBytes(s.Source!.Text))));

    private static TableSchema? Compile(string table, string document, SchemaSet known, ICollection<Finding> findings) =>
        SchemaCatalog.Compile(table, Encoding.UTF8.GetBytes(document), "body", known, findings);

    private static SchemaCatalog With(SchemaCatalog catalog, IReadOnlyList<TableSchema> schemas) => new(
        catalog.Tables.Select(t => catalog.Find(t)!).Where(s => schemas.All(n => n.Table != s.Table)).Concat(schemas))
    {
        Documents = catalog.Documents,
    };
}
