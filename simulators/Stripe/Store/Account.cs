using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Resources;
using Duplex.Simulators.Stripe.Webhooks;

namespace Duplex.Simulators.Stripe.Store;

/// <summary>
/// The simulated account's whole state. Everything in it is read and changed under <see cref="Gate"/>.
/// </summary>
internal sealed class Account
{
    private readonly Dictionary<Resource, ObjectTable> tables = [];
    private readonly SearchIndex search;
    private long sequence;

    public Account(SimulatedClock clock, int seed, TimeSpan searchLag)
    {
        Clock = clock;
        Ids = new IdSource(seed);
        search = new SearchIndex(clock, searchLag);
        Past = new PastStates(clock);
        Events = new EventLog(clock);
        Idempotency = new IdempotencyStore(clock);
        foreach (var resource in ResourceCatalog.All)
        {
            tables.Add(resource, new ObjectTable(resource));
        }
    }

    public Lock Gate { get; } = new();

    public SimulatedClock Clock { get; }

    public IdSource Ids { get; }

    public EventLog Events { get; }

    public PastStates Past { get; }

    public IdempotencyStore Idempotency { get; }

    /// <summary>The signing secrets of webhook endpoints.</summary>
    public required WebhookSecrets Secrets { get; init; }

    /// <summary>Called under the gate for every event that an applied transaction raised.</summary>
    public Action<StoredEvent>? Raised { get; set; }

    /// <summary>Where changes are kept on disk; null keeps them in memory only.</summary>
    public Journal? Journal { get; set; }

    public ObjectTable Table(Resource resource) => tables[resource];

    /// <summary>Makes a transaction's changes visible and raises its events. Called under the gate.</summary>
    public void Apply(Transaction transaction)
    {
        foreach (var change in transaction.Changes)
        {
            Apply(change);
            Secrets.Follow(change);
        }

        if (transaction.Changes.Count == 0 && transaction.Events.Count == 0)
        {
            return;
        }

        var raised = new StoredEvent[transaction.Events.Count];
        for (var i = 0; i < raised.Length; i++)
        {
            raised[i] = Events.Append(transaction.Events[i], Ids.Next("evt_1", 23), transaction.Cause);
        }

        Journal?.Note(transaction, raised, Ids.Issued);
        foreach (var happened in raised)
        {
            Raised?.Invoke(happened);
        }
    }

    /// <summary>Applies one change without raising anything. Called under the gate.</summary>
    public void Apply(ObjectChange change)
    {
        var table = tables[change.Resource];
        var stored = table.Find(change.Id);
        Past.Note(change.Id, stored?.Json);
        if (change.Deleted)
        {
            if (stored is { Deleted: false })
            {
                table.Delete(stored, change.Json);
            }

            return;
        }

        stored ??= table.Insert(change.Id, change.Created, ++sequence);
        stored.Json = change.Json!;
        table.SetFilters(stored, change.Filters);
        if (change.Resource.Searchable)
        {
            search.Note(stored);
        }
    }

    /// <summary>Keeps the answer of a finished request under its key. Called under the gate.</summary>
    public void Keep(IdempotencyEntry entry, ApiResponse response, string requestId)
    {
        Idempotency.Finish(entry, response, requestId);
        Journal?.Note(entry);
    }

    /// <summary>Sets the secrets of a webhook endpoint. Called under the gate.</summary>
    public void SetSecrets(string endpointId, IReadOnlyList<string> secrets)
    {
        Secrets.Set(endpointId, secrets);
        Journal?.NoteSecrets(endpointId, secrets);
    }

    /// <summary>Brings the search index up to what it may know by now. Called under the gate.</summary>
    public void CatchUpSearch() => search.CatchUp();

    /// <summary>Forgets every object, event and key. Called under the gate.</summary>
    public void Clear()
    {
        foreach (var resource in ResourceCatalog.All)
        {
            tables[resource] = new ObjectTable(resource);
        }

        search.Clear();
        Past.Clear();
        Secrets.Clear();
        Journal?.NoteCleared();
        Journal?.Flush();
        Events.Clear();
        Idempotency.Clear();
    }
}
