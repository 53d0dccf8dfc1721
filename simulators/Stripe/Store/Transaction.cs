using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Resources;

namespace Duplex.Simulators.Stripe.Store;

/// <summary>
/// The changes of one request, applied together when it succeeds and dropped when it throws. Used by one thread,
/// under the account's gate.
/// </summary>
internal sealed class Transaction(Account account, EventCause cause)
{
    private readonly List<ObjectChange> changes = [];
    private readonly List<PendingEvent> events = [];

    public Account Account { get; } = account;

    /// <summary>Unix seconds at which this request executes.</summary>
    public long Now { get; } = account.Clock.NowSeconds;

    /// <summary>Whether anything that a reader can see changes.</summary>
    public bool HasChanges => changes.Count > 0;

    public IReadOnlyList<ObjectChange> Changes => changes;

    public IReadOnlyList<PendingEvent> Events => events;

    public EventCause Cause { get; } = cause;

    /// <summary>Whether no events are raised, as when data is seeded.</summary>
    public bool Silent { get; init; }

    /// <summary>Id of the next object to be created, where a seed gives it.</summary>
    public string? ChosenId { get; set; }

    /// <summary>Time of creation where a seed gives it, in unix seconds.</summary>
    public long? ChosenCreated { get; set; }

    /// <summary>Whether this request is about to create an object with that id.</summary>
    public bool IsComing(string id) => id == ComingId;

    /// <summary>Id of the object that is created once those it needs are.</summary>
    public string? ComingId { get; set; }

    public string NewId(Resource resource)
    {
        var id = ChosenId ?? Account.Ids.Next(resource.IdPrefix, resource.IdLength);
        ChosenId = null;
        return id;
    }

    /// <summary>The live object's bytes as this transaction sees them, or null.</summary>
    public byte[]? Find(Resource resource, string id)
    {
        for (var i = changes.Count - 1; i >= 0; i--)
        {
            if (changes[i].Resource == resource && changes[i].Id == id)
            {
                return changes[i].Deleted ? null : changes[i].Json;
            }
        }

        return Account.Table(resource).Find(id) is { Deleted: false } stored ? stored.Json : null;
    }

    /// <summary>
    /// The live objects whose first filter has this value, as this transaction sees them, oldest first.
    /// </summary>
    public List<JsonObject> FindAll(Resource resource, string firstFilter)
    {
        var ids = Account.Table(resource).ByFirstFilter(firstFilter).ConvertAll(static stored => stored.Id);
        foreach (var change in changes)
        {
            if (change.Resource == resource && !ids.Contains(change.Id))
            {
                ids.Add(change.Id);
            }
        }

        var found = new List<JsonObject>();
        foreach (var id in ids)
        {
            if (Find(resource, id) is { } json && Json.Object(json) is var value
                && resource.FiltersOf(value)[0] == firstFilter)
            {
                found.Add(value);
            }
        }

        return found;
    }

    public JsonObject Require(Resource resource, string id, string param = "id") =>
        Json.Object(Find(resource, id) ?? throw StripeException.Missing(resource.Label, id, param));

    /// <summary>Stores a created or changed object and returns its bytes.</summary>
    public byte[] Put(Resource resource, JsonObject value)
    {
        var json = Json.Bytes(value);
        changes.Add(new ObjectChange(resource, Json.Text(value, "id")!, json, false)
        {
            Created = resource.CreatedOf(value),
            Filters = resource.FiltersOf(value),
        });
        return json;
    }

    public void Delete(Resource resource, string id, byte[] stub) =>
        changes.Add(new ObjectChange(resource, id, resource.KeepsDeleted ? stub : null, true));

    public void Emit(string type, byte[] subject, byte[]? previous = null) =>
        events.AddRange(Silent ? [] : [new PendingEvent(type, subject, previous)]);
}

/// <summary>
/// One object's new state within a transaction; <see cref="Json"/> is the stub, or null, when deleted.
/// </summary>
internal sealed record ObjectChange(Resource Resource, string Id, byte[]? Json, bool Deleted)
{
    public long Created { get; init; }

    public string?[] Filters { get; init; } = [];
}

/// <summary>An event that a transaction raises when it is applied.</summary>
internal sealed record PendingEvent(string Type, byte[] Subject, byte[]? Previous);
