using System.Text.Json;
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
        var (schema, findings) = OutputSchema.Compile(document);
        if (schema is null)
        {
            throw SchemaInvalid(table, findings);
        }

        await _core.One.WaitAsync(cancellationToken);
        try
        {
            _core.RequireTable(customer, table);
            var forms = await _core.Forms.FormsAsync(customer, table, cancellationToken);
            if (await _core.SchemaAsync(customer, table, cancellationToken) is { } active)
            {
                if (forms.Last?.Schema is { } same && active.Text == document)
                {
                    return new PutOutcome(same, true, RegistryCore.EffectiveOf(forms, static f => f.Schema, same), findings);
                }

                findings = [.. findings, .. RequireCompatible(active.Text, document, table, note)];
            }

            if (_core.Customers.Find(customer)?.Tables.GetValueOrDefault(table)?.Mapping is { } mapping)
            {
                findings = [.. findings, .. OutputFit.Check(mapping.Mapping, schema, table)];
            }

            var (version, mutations) = await _core.AddVersionAsync(
                StoredNames.Schemas(customer, table), document, note.By, cancellationToken);
            return new PutOutcome(version, true, await _core.ActivateAsync(
                customer, table, null, (schema, version), mutations, cancellationToken), findings);
        }
        finally
        {
            _core.One.Release();
        }
    }

    internal static IReadOnlyList<Finding> RequireCompatible(string before, string after, string table, SchemaNote note)
    {
        if (!note.Backward)
        {
            return [];
        }

        var findings = SchemaCompatibility.Compare(JsonElement.Parse(before), JsonElement.Parse(after));
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
