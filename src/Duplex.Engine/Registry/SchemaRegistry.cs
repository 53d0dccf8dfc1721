using System.Text;
using System.Text.Json;
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
        return [.. (await _core.Forms.VersionsAsync(StoredNames.Schemas(customer, table), cancellationToken)).Select(
            v => new VersionView(v.Version, Origin.Api, RegistryCore.At(v.Stored), v.Stored.By, forms.Last?.Schema == v.Version,
                v.Stored.Document, RegistryCore.EffectiveOf(forms, static f => f.Schema, v.Version)))];
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
        var (refusal, findings) = OutputSchema.Compile(Encoding.UTF8.GetBytes(document));
        if (refusal is null)
        {
            throw SchemaInvalid(table, findings);
        }

        await _core.One.WaitAsync(cancellationToken);
        try
        {
            _core.RequireTable(customer, table);
            var forms = await _core.Forms.FormsAsync(customer, table, cancellationToken);
            if (forms.Last?.Schema is { } active
                && await _core.Forms.VersionAsync(StoredNames.Schemas(customer, table), active, cancellationToken) is { } stored)
            {
                if (stored.Document == document)
                {
                    return new PutOutcome(active, true, RegistryCore.EffectiveOf(forms, static f => f.Schema, active), findings);
                }

                findings = [.. findings, .. RequireCompatible(stored.Document, document, table, note)];
            }

            var (version, mutations) = await _core.AddVersionAsync(
                StoredNames.Schemas(customer, table), document, note.By, cancellationToken);
            return new PutOutcome(version, true, await _core.ActivateAsync(
                customer, table, null, (refusal, version), mutations, cancellationToken), findings);
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
