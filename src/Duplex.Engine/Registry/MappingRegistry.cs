using Duplex.Engine.Config;
using Duplex.Engine.Feeds;
using Duplex.Engine.Mapping.Output;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>The versions of customers' mappings. Members may be called from many tasks at once; changes are made one by one.</summary>
public sealed class MappingRegistry
{
    private readonly RegistryCore _core;

    internal MappingRegistry(RegistryCore core) => _core = core;

    /// <summary>The versions of a customer's mapping of a table, the file's first where there is one.</summary>
    /// <exception cref="RegistryException">There is no such customer, or it does not have the table.</exception>
    public async Task<IReadOnlyList<VersionView>> MappingsAsync(
        string customer, string table, CancellationToken cancellationToken)
    {
        _core.RequireTable(customer, table);
        var forms = await _core.Forms.FormsAsync(customer, table, cancellationToken);
        var versions = new List<VersionView>();
        if (_core.Forms.Base(customer, table) is { } file)
        {
            versions.Add(new VersionView(0, Origin.File, null, null,
                forms.Last?.Mapping is null, file.Mapping.Text, RegistryCore.EffectiveOf(forms, static f => f.Mapping, null)));
        }

        foreach (var (version, stored) in await _core.Forms.VersionsAsync(StoredNames.Mappings(customer, table), cancellationToken))
        {
            versions.Add(new VersionView(version, Origin.Api, RegistryCore.At(stored), stored.By, forms.Last?.Mapping == version,
                stored.Document, RegistryCore.EffectiveOf(forms, static f => f.Mapping, version)));
        }

        return versions;
    }

    /// <summary>Stores a version of a customer's mapping of a table. A document that is the same as the last version's makes
    /// none.</summary>
    /// <exception cref="RegistryException">It is wrong, with every finding; nothing was stored.</exception>
    public async Task<PutOutcome> PutMappingAsync(
        string customer, string table, string document, DocumentNote note, CancellationToken cancellationToken)
    {
        var (mapping, findings) = ReadMapping(document, table);
        await _core.One.WaitAsync(cancellationToken);
        try
        {
            _core.RequireTable(customer, table);
            findings = [.. findings, .. await FitAsync(customer, table, mapping, cancellationToken)];
            var (version, mutations) = await _core.AddVersionAsync(
                StoredNames.Mappings(customer, table), document, note.By, cancellationToken);
            if (!note.Activate)
            {
                await _core.CommitAsync(mutations, cancellationToken);
                var forms = await _core.Forms.FormsAsync(customer, table, cancellationToken);
                return new PutOutcome(version, forms.Last?.Mapping == version, [], findings);
            }

            var effective = await _core.ActivateAsync(customer, table, (mapping, version), null, mutations, cancellationToken);
            return new PutOutcome(version, true, effective, findings);
        }
        finally
        {
            _core.One.Release();
        }
    }

    /// <summary>
    /// Takes a version into use at a defined position: changes before it are made with what was active until then, changes from it
    /// on with this version, also when the process ends in between.
    /// </summary>
    /// <param name="customer">The customer.</param>
    /// <param name="table">The table.</param>
    /// <param name="version">The version; 0 for the file's.</param>
    /// <param name="cancellationToken">Stops what has not begun.</param>
    /// <exception cref="RegistryException">There is no such version.</exception>
    public async Task<PutOutcome> ActivateMappingAsync(
        string customer, string table, int version, CancellationToken cancellationToken)
    {
        await _core.One.WaitAsync(cancellationToken);
        try
        {
            _core.RequireTable(customer, table);
            var mapping = await CandidateAsync(customer, table, version, cancellationToken);
            var forms = await _core.Forms.FormsAsync(customer, table, cancellationToken);
            var fit = await FitAsync(customer, table, mapping, cancellationToken);
            return (forms.Last?.Mapping ?? 0) == version && _core.Customers.Find(customer)!.Tables.ContainsKey(table)
                ? new PutOutcome(version, true, forms.Last?.Effective ?? [], fit)
                : new PutOutcome(version, true, await _core.ActivateAsync(
                    customer, table, (mapping, version), null, [], cancellationToken), fit);
        }
        finally
        {
            _core.One.Release();
        }
    }

    /// <summary>The mapping of a version; 0 is the file's.</summary>
    internal async Task<MappingDocument> CandidateAsync(
        string customer, string table, int version, CancellationToken cancellationToken)
    {
        if (version == 0 && _core.Forms.Base(customer, table) is { } file)
        {
            return file.Mapping;
        }

        var stored = await _core.Forms.VersionAsync(StoredNames.Mappings(customer, table), version, cancellationToken)
            ?? throw new RegistryException(RegistryFault.Unknown, "request.unknown_version",
                $"{customer} has no version {version} of its mapping of {table}.",
                $"GET /v1/customers/{customer}/mappings/{table}/versions lists them.");
        return ReadMapping(stored.Document, table).Mapping;
    }

    internal static (MappingDocument Mapping, IReadOnlyList<Finding> Findings) ReadMapping(string document, string table)
    {
        var (mapping, findings) = MappingDocument.Read(document, "body", table);
        return mapping is null
            ? throw new RegistryException(RegistryFault.Invalid, "mapping.invalid", $"The mapping of {table} is not right.",
                "Correct what the findings name.", findings)
            : (mapping, findings);
    }

    private async Task<IReadOnlyList<Finding>> FitAsync(
        string customer, string table, MappingDocument mapping, CancellationToken cancellationToken) =>
        OutputFit.Check(mapping.Mapping, await _core.SchemaAsync(customer, table, cancellationToken), table);
}

/// <summary>What is told beside a document.</summary>
/// <param name="By">Who puts it.</param>
/// <param name="Activate">Whether it is taken into use at once.</param>
public sealed record DocumentNote(string By, bool Activate);
