using Duplex.Engine.Config;
using Duplex.Engine.Feeds;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

public sealed partial class CustomerRegistry
{
    /// <summary>The versions of a customer's mapping of a table, the file's first where there is one.</summary>
    /// <exception cref="RegistryException">There is no such customer, or it does not have the table.</exception>
    public async Task<IReadOnlyList<VersionView>> MappingsAsync(
        string customer, string table, CancellationToken cancellationToken)
    {
        RequireTable(customer, table);
        var forms = await _forms.FormsAsync(customer, table, cancellationToken);
        var versions = new List<VersionView>();
        if (_forms.Base(customer, table) is { } file)
        {
            versions.Add(new VersionView(0, Origin.File, null, null,
                forms.Last?.Mapping is null, file.Mapping.Text, EffectiveOf(forms, static f => f.Mapping, null)));
        }

        foreach (var (version, stored) in await _forms.VersionsAsync(StoredNames.Mappings(customer, table), cancellationToken))
        {
            versions.Add(new VersionView(version, Origin.Api, At(stored), stored.By, forms.Last?.Mapping == version,
                stored.Document, EffectiveOf(forms, static f => f.Mapping, version)));
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
        await _one.WaitAsync(cancellationToken);
        try
        {
            RequireTable(customer, table);
            var (version, mutations) = await AddVersionAsync(
                StoredNames.Mappings(customer, table), document, note.By, cancellationToken);
            if (!note.Activate)
            {
                await StoreAsync(mutations, cancellationToken);
                var forms = await _forms.FormsAsync(customer, table, cancellationToken);
                return new PutOutcome(version, forms.Last?.Mapping == version, [], findings);
            }

            var effective = await ActivateAsync(customer, table, (mapping, version), null, mutations, cancellationToken);
            return new PutOutcome(version, true, effective, findings);
        }
        finally
        {
            _one.Release();
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
        await _one.WaitAsync(cancellationToken);
        try
        {
            RequireTable(customer, table);
            var mapping = await CandidateAsync(customer, table, version, cancellationToken);
            var forms = await _forms.FormsAsync(customer, table, cancellationToken);
            return (forms.Last?.Mapping ?? 0) == version && _customers.Find(customer)!.Tables.ContainsKey(table)
                ? new PutOutcome(version, true, forms.Last?.Effective ?? [], [])
                : new PutOutcome(version, true, await ActivateAsync(
                    customer, table, (mapping, version), null, [], cancellationToken), []);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>The mapping of a version; 0 is the file's.</summary>
    internal async Task<MappingDocument> CandidateAsync(
        string customer, string table, int version, CancellationToken cancellationToken)
    {
        if (version == 0 && _forms.Base(customer, table) is { } file)
        {
            return file.Mapping;
        }

        var stored = await _forms.VersionAsync(StoredNames.Mappings(customer, table), version, cancellationToken)
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

    /// <summary>Takes a mapping or a schema into use, or both; null leaves what is active.</summary>
    private async Task<IReadOnlyList<EffectivePosition>> ActivateAsync(
        string customer, string table, (MappingDocument Document, int Version)? mapping,
        (Func<System.Text.Json.JsonElement, string?>? Refusal, int Version)? schema,
        IReadOnlyList<StateMutation> mutations, CancellationToken cancellationToken)
    {
        var now = Require(customer);
        var forms = await _forms.FormsAsync(customer, table, cancellationToken);
        var active = now.Tables.GetValueOrDefault(table);
        var form = (mapping?.Document ?? active?.Mapping) is { } document
            ? new TableModel(table, document, schema is { } given ? given.Refusal : await RefusalAsync(active, forms)) : null;
        IReadOnlyList<EffectivePosition> effective = [];
        await _customers.ChangeAsync(now, points =>
        {
            TurningPoint[] mine = [.. points.Where(p => p.Table == table)];
            effective = [.. mine.Select(static p => new EffectivePosition(p.Position.Topic, p.Position.Partition, p.Effective))];
            var stored = forms.With(new StoredForm(
                mapping is { } m ? Numbered(m.Version) : forms.Last?.Mapping,
                schema is { } s ? Numbered(s.Version) : forms.Last?.Schema, _parts.Clock.NowMicros(), effective));
            return new CustomerChange(form is null ? now : Replace(now, active, form, mine),
                [.. mutations, new StateMutation.PutValue(StoredNames.Form(customer, table), StoredNames.Write(stored))]);
        }, cancellationToken);
        return effective;

        // A table that waited for its mapping may have its schema already.
        async Task<Func<System.Text.Json.JsonElement, string?>?> RefusalAsync(TableModel? model, StoredForms known) =>
            model is not null || known.Last?.Schema is not { } number
                ? model?.Refusal ?? (model is null ? _forms.Base(customer, table)?.Refusal : null)
                : (await SchemaAsync(customer, table, number, cancellationToken));
    }

    private static int? Numbered(int version) => version == 0 ? null : version;

    private static CustomerModel Replace(
        CustomerModel customer, TableModel? active, TableModel form, IReadOnlyList<TurningPoint> points)
    {
        var before = points.ToDictionary(static p => p.Position.Partition, static p => p.Effective);
        IEnumerable<EarlierForm> all = active is null
            ? [] : [.. active.Earlier, new EarlierForm(active with { Earlier = [] }, before)];
        EarlierForm[] needed = [.. all.Where(e => points.Any(
            p => p.Position.Offset < e.Before.GetValueOrDefault(p.Position.Partition)))];
        return customer with
        {
            Tables = new Dictionary<string, TableModel>(customer.Tables, StringComparer.Ordinal)
            {
                [form.Table] = form with { Earlier = needed },
            },
            Waiting = [.. customer.Waiting.Where(t => t != form.Table)],
        };
    }

    private async Task<(int Version, IReadOnlyList<StateMutation> Mutations)> AddVersionAsync(
        string prefix, string document, string by, CancellationToken cancellationToken)
    {
        var versions = await _forms.VersionsAsync(prefix, cancellationToken);
        if (versions.Count > 0 && versions[^1].Stored.Document == document)
        {
            return (versions[^1].Version, []);
        }

        if (versions.Count >= VersionsMax)
        {
            throw new RegistryException(RegistryFault.Conflict, "registry.too_many_versions",
                $"There are {VersionsMax} versions already.", "Make the customer anew.");
        }

        var version = versions.Count == 0 ? 1 : versions[^1].Version + 1;
        return (version, [new StateMutation.PutValue(StoredNames.Version(prefix, version),
            StoredNames.Write(new StoredVersion(document, _parts.Clock.NowMicros(), by)))]);
    }

    private Task StoreAsync(IReadOnlyList<StateMutation> mutations, CancellationToken cancellationToken) =>
        mutations.Count == 0 ? Task.CompletedTask : _commit(mutations, cancellationToken);

    private CustomerModel RequireTable(string customer, string table)
    {
        var model = Require(customer);
        return model.Tables.ContainsKey(table) || model.Waiting.Contains(table) ? model
            : throw new RegistryException(RegistryFault.Unknown, "request.unknown_table",
                $"The customer {customer} does not get the table {table}.",
                $"Add it to the customer's tables: PUT /v1/customers/{customer}.");
    }

    private static DateTimeOffset At(StoredVersion version) => DateTimeOffset.UnixEpoch.AddMicroseconds(version.AtMicros);

    private static IReadOnlyList<EffectivePosition> EffectiveOf(StoredForms forms, Func<StoredForm, int?> of, int? version)
    {
        // A form may keep the mapping and change the schema: the version's own beginning is what counts.
        IReadOnlyList<EffectivePosition> effective = [];
        for (var i = 0; i < forms.Forms.Count; i++)
        {
            if (of(forms.Forms[i]) == version && (i == 0 || of(forms.Forms[i - 1]) != version))
            {
                effective = forms.Forms[i].Effective;
            }
        }

        return effective;
    }
}

/// <summary>What is told beside a document.</summary>
/// <param name="By">Who puts it.</param>
/// <param name="Activate">Whether it is taken into use at once.</param>
public sealed record DocumentNote(string By, bool Activate);
