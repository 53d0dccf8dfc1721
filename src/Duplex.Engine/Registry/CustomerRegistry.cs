using Duplex.Engine.Config;
using Duplex.Engine.Feeds;
using Duplex.Engine.Ingest;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>
/// Customers with their mappings and schemas as data: what the configuration file says, and over it, by name, what was set at run
/// time, which is durable and versioned. Members may be called from many tasks at once; changes are made one by one.
/// </summary>
public sealed class CustomerRegistry
{
    private const int CustomersMax = 10_000;

    private readonly RegistryCore _core;

    internal CustomerRegistry(
        EngineParts parts, Customers customers, IngestDoor? door,
        Func<IReadOnlyList<StateMutation>, CancellationToken, Task> commit)
    {
        _core = new RegistryCore(parts, customers, door, commit);
        Mappings = new MappingRegistry(_core);
        Trials = new MappingTrials(_core, Mappings);
        Schemas = new SchemaRegistry(_core);
        InternalSchemas = new InternalSchemaRegistry(_core);
        Replays = new ReplayRegistry(_core);
        Pushes = new PushRegistry(_core);
    }

    /// <summary>Mappings and their versions.</summary>
    public MappingRegistry Mappings { get; }

    /// <summary>Tries of mappings.</summary>
    public MappingTrials Trials { get; }

    /// <summary>Schemas of what customers are given.</summary>
    public SchemaRegistry Schemas { get; }

    /// <summary>Schemas of what is taken.</summary>
    public InternalSchemaRegistry InternalSchemas { get; }

    /// <summary>Replays.</summary>
    public ReplayRegistry Replays { get; }

    /// <summary>Pushes.</summary>
    public PushRegistry Pushes { get; }

    /// <summary>Every customer, by name.</summary>
    public async Task<IReadOnlyList<CustomerView>> ListAsync(CancellationToken cancellationToken)
    {
        var views = new List<CustomerView>();
        foreach (var model in _core.Customers.Models.Values.OrderBy(static m => m.Name, StringComparer.Ordinal))
        {
            views.Add(await ViewAsync(model, cancellationToken));
        }

        return views;
    }

    /// <summary>One customer.</summary>
    /// <exception cref="RegistryException">There is none of the name.</exception>
    public Task<CustomerView> GetAsync(string name, CancellationToken cancellationToken) =>
        ViewAsync(_core.Require(name), cancellationToken);

    /// <summary>
    /// Makes a customer, or sets which tables one has and where its feed is pushed to. When it returns, the positions of tables
    /// that are new to it are placed: with <c>start: latest</c> nothing is missed that is posted from then on.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="document">YAML or JSON, as <see cref="CustomerRequest"/> reads it.</param>
    /// <param name="tenant">The tenant where the document names none; null for the one it has, or <c>default</c>.</param>
    /// <param name="cancellationToken">Stops what has not begun.</param>
    /// <exception cref="RegistryException">The document is wrong, or asks for what cannot be.</exception>
    public async Task<CustomerView> PutAsync(
        string name, string document, string? tenant, CancellationToken cancellationToken)
    {
        await _core.One.WaitAsync(cancellationToken);
        try
        {
            var before = await _core.StoredAsync(name, cancellationToken);
            var (request, findings) = CustomerRequest.Read(
                document, name, _core.Parts.Model.Log.Kafka, keepsSecret: before?.Push is { SecretVersion: > 0 });
            if (request is null)
            {
                throw new RegistryException(RegistryFault.Invalid, "customer.invalid", $"The customer {name} is not right.",
                    "Correct what the findings name.", findings);
            }

            var now = _core.Customers.Find(name);
            var owner = request.Tenant ?? now?.Tenant ?? tenant ?? TableTopics.DefaultTenant;
            if (now is not null && now.Tenant != owner)
            {
                throw new RegistryException(RegistryFault.Conflict, "customer.tenant_fixed",
                    $"The customer {name} belongs to another tenant.", "Choose another name.");
            }

            if (now is null && _core.Customers.Models.Count >= CustomersMax)
            {
                throw new RegistryException(RegistryFault.Conflict, "customer.too_many",
                    $"There are {CustomersMax} customers already.", "Delete one that is no longer needed.");
            }

            var stored = new StoredCustomer(owner, request.Tables,
                now?.Generation ?? (before?.Generation ?? 0) + 1, _core.Parts.Clock.NowMicros(),
                (long)request.Retention.Age.TotalSeconds, request.Retention.Bytes);
            var next = await TablesAsync(FormSource.ModelOf(name, stored, request.Start), request.Tables, now, cancellationToken);
            await CheckOffsetsAsync(next, cancellationToken);
            stored = stored with { Push = _core.Secrets.Place(name, request, before?.Push) };
            next = _core.Secrets.Apply(next, stored.Push);
            await Pushes.StoreAsync(next, stored, before?.Push, cancellationToken);
            return await ViewAsync(next, cancellationToken);
        }
        finally
        {
            _core.One.Release();
        }
    }

    /// <summary>Removes a customer with its mappings and schemas. What its feed has stays readable until retention removes it; a
    /// customer of the same name that is made later begins anew.</summary>
    /// <exception cref="RegistryException">There is none of the name.</exception>
    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await _core.One.WaitAsync(cancellationToken);
        try
        {
            var model = _core.Require(name);
            var stored = await _core.StoredAsync(name, cancellationToken);
            var mark = new StoredCustomer(model.Tenant, [], model.Generation, _core.Parts.Clock.NowMicros(), 0, 0) { Removed = true };
            var mutations = new List<StateMutation>
            {
                new StateMutation.PutValue(StoredNames.Customer(name), StoredNames.Write(mark)),
                new StateMutation.PutValue(StoredNames.Replay(name), null),
            };
            foreach (var prefix in new[] { StoredNames.Mappings(name), StoredNames.Schemas(name), StoredNames.Forms(name) })
            {
                mutations.AddRange((await _core.Parts.Store.ListValuesAsync(prefix, cancellationToken))
                    .Select(static v => new StateMutation.PutValue(v.Key, null)));
            }

            await _core.Customers.RemoveAsync(model, mutations, cancellationToken);
            _core.Secrets.Forget(name, stored?.Push?.SecretVersion ?? 0);
        }
        finally
        {
            _core.One.Release();
        }
    }

    /// <summary>Puts what the state store holds over the customers of the configuration file. Before anything begins.</summary>
    internal async Task LoadAsync(CancellationToken cancellationToken)
    {
        await InternalSchemas.LoadAsync(cancellationToken);
        var stored = (await _core.Parts.Store.ListValuesAsync(StoredNames.Customers, cancellationToken)).ToDictionary(
            static v => v.Key[StoredNames.Customers.Length..], static v => StoredNames.Read<StoredCustomer>(v.Value),
            StringComparer.Ordinal);
        var models = new List<CustomerModel>();
        foreach (var name in _core.Parts.Model.Customers.Keys.Union(stored.Keys, StringComparer.Ordinal))
        {
            var mine = stored.GetValueOrDefault(name);
            if (mine is not { Removed: true })
            {
                models.Add(await _core.Forms.ComposeAsync(
                    name, mine, _core.Parts.Model.Customers.GetValueOrDefault(name), cancellationToken));
            }
        }

        _core.Customers.UseAll(models);
    }

    private async Task<CustomerModel> TablesAsync(
        CustomerModel model, IReadOnlyList<string> names, CustomerModel? now, CancellationToken cancellationToken)
    {
        var (tables, waiting) = (new Dictionary<string, TableModel>(StringComparer.Ordinal), new List<string>());
        foreach (var table in names)
        {
            if ((now?.Tables.GetValueOrDefault(table) ?? await _core.Forms.ReadAsync(model.Name, table, [], cancellationToken)) is { } form)
            {
                tables.Add(table, form);
            }
            else
            {
                waiting.Add(table);
            }
        }

        return model with { Tables = tables, Waiting = waiting };
    }

    private async Task CheckOffsetsAsync(CustomerModel model, CancellationToken cancellationToken)
    {
        if (model.Start.Offsets.Count == 0)
        {
            return;
        }

        var partitions = await _core.Parts.Log.DescribeAsync(cancellationToken);
        var findings = new List<Finding>();
        foreach (var ((table, partition), offset) in model.Start.Offsets)
        {
            var topic = TableTopics.Of(model.Tenant, table);
            var found = partitions.FirstOrDefault(p => p.Topic == topic && p.Partition == partition);
            if (found is null ? offset > 0 : offset < found.FirstOffset || offset > found.NextOffset)
            {
                findings.Add(new Finding(FindingSeverity.Error, "customer.bad_offset", "/start/offsets",
                    found is null ? $"The log has no partition {partition} of {table}."
                        : $"Partition {partition} of {table} has the offsets {found.FirstOffset} to {found.NextOffset}, not {offset}.",
                    "Name an offset that the log has: GET /v1/log."));
            }
        }

        if (findings.Count > 0)
        {
            throw new RegistryException(RegistryFault.Invalid, "customer.invalid",
                $"The customer {model.Name} cannot begin there.", "Correct what the findings name.", findings);
        }
    }

    private async Task<CustomerView> ViewAsync(CustomerModel model, CancellationToken cancellationToken)
    {
        var stored = await _core.StoredAsync(model.Name, cancellationToken);
        var tables = new List<CustomerTableView>();
        foreach (var table in model.Tables.Keys.Concat(model.Waiting).Order(StringComparer.Ordinal))
        {
            var form = (await _core.Forms.FormsAsync(model.Name, table, cancellationToken)).Last;
            var hasMapping = model.Tables.TryGetValue(table, out var active);
            tables.Add(new CustomerTableView(table, hasMapping, form?.Mapping,
                active?.Schema is not null || form?.Schema is not null, form?.Schema, form?.Effective ?? []));
        }

        return new CustomerView(model, stored is null ? Origin.File : Origin.Api,
            stored is null ? null : DateTimeOffset.UnixEpoch.AddMicroseconds(stored.AtMicros), tables);
    }
}
