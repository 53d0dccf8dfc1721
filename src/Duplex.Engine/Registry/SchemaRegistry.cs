using System.Text;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping.Output;
using Duplex.Engine.Schemas;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>The versions of the schemas of what customers are given.
/// Members may be called from many tasks at once; changes are made one by one.</summary>
public sealed class SchemaRegistry
{
    private readonly RegistryCore _core;

    internal SchemaRegistry(RegistryCore core) => _core = core;

    /// <summary>The versions of the schema of what a customer is given of a table.</summary>
    /// <exception cref="RegistryException">There is no such customer, or it does not have the table.</exception>
    public async Task<IReadOnlyList<VersionView>> SchemasAsync(
        string customer, string table, CancellationToken cancellationToken)
    {
        _core.RequireTable(customer, table);
        var forms = await _core.Forms.FormsAsync(customer, table, cancellationToken);
        var versions = new List<VersionView>();
        if (_core.Forms.Base(customer, table)?.Schema is { } file)
        {
            versions.Add(new VersionView(0, Origin.File, null, null, forms.Last?.Schema is null, file.Text,
                RegistryCore.EffectiveOf(forms, static f => f.Schema, null)));
        }

        versions.AddRange((await _core.Forms.VersionsAsync(StoredNames.Schemas(customer, table), cancellationToken)).Select(
            v => new VersionView(v.Version, Origin.Api, RegistryCore.At(v.Stored), v.Stored.By, forms.Last?.Schema == v.Version,
                v.Stored.Document, RegistryCore.EffectiveOf(forms, static f => f.Schema, v.Version))));
        return versions;
    }

    /// <summary>
    /// Stores a version of the schema of what a customer is given of a table, and takes it into use at a defined position. A document
    /// that is the same as the active version's changes nothing.
    /// </summary>
    /// <exception cref="RegistryException">It is no schema, or refuses what the active one accepts; nothing was
    /// stored.</exception>
    public async Task<PutOutcome> PutSchemaAsync(
        string customer, string table, string document, SchemaNote note, CancellationToken cancellationToken)
    {
        await _core.One.WaitAsync(cancellationToken);
        try
        {
            var model = _core.RequireTable(customer, table);
            var address = SchemaAddress.External(customer, table);
            var (schema, findings) = OutputSchema.Compile(document, await KnownAsync(model, cancellationToken), address);
            if (schema is null)
            {
                throw SchemaInvalid(table, findings);
            }

            var forms = await _core.Forms.FormsAsync(customer, table, cancellationToken);
            if (await _core.SchemaAsync(customer, table, cancellationToken) is { } active)
            {
                if (forms.Last?.Schema is { } same && schema.Source.IsSame(active.Source))
                {
                    return new PutOutcome(same, true, RegistryCore.EffectiveOf(forms, static f => f.Schema, same), findings);
                }

                findings = [.. findings, .. RequireCompatible(active.Source, schema.Source, table, note)];
            }

            findings = [.. findings, .. Pinned(table, await ReferrersAsync(customer, table, cancellationToken))];

            if (_core.Customers.Find(customer)?.Tables.GetValueOrDefault(table)?.Mapping is { } mapping)
            {
                findings = [.. findings, .. OutputFit.Check(mapping.Mapping, schema, table)];
            }

            var (version, mutations) = await _core.AddVersionAsync(
                StoredNames.Schemas(customer, table), document, note.By, cancellationToken, schema.Source);
            return new PutOutcome(version, true, await _core.ActivateAsync(
                customer, table, null, (schema, version), mutations, cancellationToken), findings);
        }
        finally
        {
            _core.One.Release();
        }
    }

    /// <summary>The other tables of a customer whose schema refers to this one's.</summary>
    public async Task<IReadOnlyList<string>> ReferrersAsync(string customer, string table, CancellationToken cancellationToken)
    {
        var address = SchemaAddress.External(customer, table);
        var referrers = new List<string>();
        foreach (var (other, schema) in await SchemasOfAsync(_core.Require(customer), cancellationToken))
        {
            if (other != table && schema.Source.References.ContainsKey(address))
            {
                referrers.Add(other);
            }
        }

        return referrers;
    }

    /// <summary>A warning for each schema that keeps what it referred to.</summary>
    internal static IEnumerable<Finding> Pinned(string table, IReadOnlyList<string> referrers) => referrers.Select(other =>
        new Finding(FindingSeverity.Warning, "schema.referred", null,
            $"The schema of {other} refers to the one of {table}, and keeps it as it was.",
            $"Put the schema of {other} again to let it follow."));

    /// <summary>The files of the customer's folder, and over them what is in use for its tables.</summary>
    private async Task<SchemaSet> KnownAsync(CustomerModel customer, CancellationToken cancellationToken)
    {
        var files = _core.Parts.Model.Customers.GetValueOrDefault(customer.Name)?.Documents ?? SchemaSet.Empty;
        return files.With((await SchemasOfAsync(customer, cancellationToken)).Select(s =>
            new KeyValuePair<string, ReadOnlyMemory<byte>>(
                SchemaAddress.External(customer.Name, s.Table), Encoding.UTF8.GetBytes(s.Schema.Text))));
    }

    private async Task<IReadOnlyList<(string Table, OutputSchema Schema)>> SchemasOfAsync(
        CustomerModel customer, CancellationToken cancellationToken)
    {
        var schemas = new List<(string, OutputSchema)>();
        foreach (var table in customer.Tables.Keys.Concat(customer.Waiting).Distinct(StringComparer.Ordinal))
        {
            if (await _core.SchemaAsync(customer.Name, table, cancellationToken) is { } schema)
            {
                schemas.Add((table, schema));
            }
        }

        return schemas;
    }

    internal static IReadOnlyList<Finding> RequireCompatible(
        SchemaSource before, SchemaSource after, string table, SchemaNote note)
    {
        if (!note.Backward)
        {
            return [];
        }

        var findings = SchemaCompatibility.Compare(before.Whole, after.Whole);
        return findings.Any(static f => f.Severity == FindingSeverity.Error)
            ? throw new RegistryException(RegistryFault.Conflict, "schema.incompatible",
                $"The schema of {table} does not accept all that the active version accepts, as far as can be decided.",
                "Change what the findings name, or put it with compatibility=none.", findings)
            : findings;
    }

    internal static RegistryException SchemaInvalid(string table, IReadOnlyList<Finding> findings) => new(
        RegistryFault.Invalid, "schema.invalid", $"The schema of {table} is not right.",
        "Correct what the findings name.", findings);

}

/// <summary>What is told beside a schema.</summary>
/// <param name="By">Who puts it.</param>
/// <param name="Backward">Whether it must accept what the active version accepts.</param>
public sealed record SchemaNote(string By, bool Backward);
