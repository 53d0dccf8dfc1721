using Duplex.Engine.Config;
using Duplex.Engine.Feeds;
using Duplex.Engine.Ingest;
using Duplex.Engine.Schemas;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>What the parts of the registry share: the stores, the customers that run, and the turn to change something.</summary>
internal sealed class RegistryCore(
    EngineParts parts, Customers customers, IngestDoor? door,
    Func<IReadOnlyList<StateMutation>, CancellationToken, Task> commit)
{
    private const int VersionsMax = 1_000;

    /// <summary>Held by whoever changes something.</summary>
    public SemaphoreSlim One { get; } = new(1);

    public EngineParts Parts { get; } = parts;

    public Customers Customers { get; } = customers;

    /// <summary>Where changes are posted; null when none are taken.</summary>
    public IngestDoor? Door { get; } = door;

    public FormSource Forms { get; } = new(parts);

    public PushSecrets Secrets { get; } = new(parts);

    /// <summary>What the API made of a customer, or a mark that it removed it; null if it never did either.</summary>
    public async Task<StoredCustomer?> StoredAsync(string name, CancellationToken cancellationToken) =>
        await Parts.Store.ReadValueAsync(StoredNames.Customer(name), cancellationToken) is { } text
            ? StoredNames.Read<StoredCustomer>(text) : null;

    public Task CommitAsync(IReadOnlyList<StateMutation> mutations, CancellationToken cancellationToken) =>
        mutations.Count == 0 ? Task.CompletedTask : commit(mutations, cancellationToken);

    /// <summary>Takes a mapping or a schema into use, or both; null leaves what is active.</summary>
    public async Task<IReadOnlyList<EffectivePosition>> ActivateAsync(
        string customer, string table, (MappingDocument Document, int Version)? mapping,
        (OutputSchema Schema, int Version)? schema,
        IReadOnlyList<StateMutation> mutations, CancellationToken cancellationToken)
    {
        var now = Require(customer);
        var forms = await Forms.FormsAsync(customer, table, cancellationToken);
        var active = now.Tables.GetValueOrDefault(table);
        var form = (mapping?.Document ?? active?.Mapping) is { } document
            ? new TableModel(table, document, schema?.Schema ?? await SchemaAsync(customer, table, cancellationToken)) : null;
        IReadOnlyList<EffectivePosition> effective = [];
        await Customers.ChangeAsync(now, points =>
        {
            TurningPoint[] mine = [.. points.Where(p => p.Table == table)];
            effective = [.. mine.Select(static p => new EffectivePosition(p.Position.Topic, p.Position.Partition, p.Effective))];
            var stored = forms.With(new StoredForm(
                mapping is { } m ? Numbered(m.Version) : forms.Last?.Mapping,
                schema is { } s ? Numbered(s.Version) : forms.Last?.Schema, Parts.Clock.NowMicros(), effective));
            return new CustomerChange(form is null ? now : Replace(now, active, form, mine),
                [.. mutations, new StateMutation.PutValue(StoredNames.Form(customer, table), StoredNames.Write(stored))]);
        }, cancellationToken);
        return effective;
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

    public async Task<(int Version, IReadOnlyList<StateMutation> Mutations)> AddVersionAsync(
        string prefix, string document, string by, CancellationToken cancellationToken, SchemaSource? schema = null)
    {
        var versions = await Forms.VersionsAsync(prefix, cancellationToken);
        if (versions.Count > 0 && versions[^1].Stored.Document == document
            && schema?.HasReferences(versions[^1].Stored.References) != false)
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
            StoredNames.Write(new StoredVersion(document, Parts.Clock.NowMicros(), by)
            {
                References = schema is { References.Count: > 0 } ? schema.References : null,
            }))]);
    }

    public CustomerModel RequireTable(string customer, string table)
    {
        var model = Require(customer);
        return model.Tables.ContainsKey(table) || model.Waiting.Contains(table) ? model
            : throw new RegistryException(RegistryFault.Unknown, "request.unknown_table",
                $"The customer {customer} does not get the table {table}.",
                $"Add it to the customer's tables: PUT /v1/customers/{customer}.");
    }

    public CustomerModel Require(string name) => Customers.Find(name)
        ?? throw new RegistryException(RegistryFault.Unknown, "request.unknown_customer", $"There is no customer {name}.",
            "GET /v1/customers lists them; PUT /v1/customers/{customer} makes one.");

    public static DateTimeOffset At(StoredVersion version) => DateTimeOffset.UnixEpoch.AddMicroseconds(version.AtMicros);

    public static IReadOnlyList<EffectivePosition> EffectiveOf(StoredForms forms, Func<StoredForm, int?> of, int? version)
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

    /// <summary>The schema that is in use for what a customer is given of a table, also while the table has no mapping; null for
    /// none.</summary>
    public async Task<OutputSchema?> SchemaAsync(string customer, string table, CancellationToken cancellationToken) =>
        Customers.Find(customer)?.Tables.GetValueOrDefault(table) is { } active
            ? active.Schema
            : await Forms.SchemaAsync(
                customer, table, (await Forms.FormsAsync(customer, table, cancellationToken)).Last?.Schema, cancellationToken);
}
