using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Schema;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Resources;

/// <summary>One object type: its fields and parameters, and what creating, changing and deleting one entails.</summary>
/// <remarks>Stateless; every method runs under the account's gate, within one transaction.</remarks>
internal abstract class Resource
{
    /// <summary>The path segment, such as <c>customers</c>.</summary>
    public abstract string Path { get; }

    /// <summary>The value of <c>object</c>, which is also the first part of event types.</summary>
    public abstract string ObjectName { get; }

    public abstract string IdPrefix { get; }

    public virtual int IdLength => 14;

    /// <summary>How error messages call it.</summary>
    public virtual string Label => ObjectName;

    /// <summary>Whether a deleted object still answers with a stub.</summary>
    public virtual bool KeepsDeleted => false;

    public virtual bool Deletable => true;

    public virtual bool Searchable => false;

    /// <summary>Whether changes raise events.</summary>
    public virtual bool HasEvents => true;

    public abstract ParamSet CreateParams { get; }

    public abstract ParamSet UpdateParams { get; }

    public abstract ParamSet ListParams { get; }

    /// <summary>The list filters as (parameter, field); the first one is indexed.</summary>
    public virtual IReadOnlyList<(string Param, string Field)> Filters => [];

    /// <summary>
    /// Fields that hold the id of another object and can be expanded, with its path; null where nothing can be filled
    /// in.
    /// </summary>
    public virtual IReadOnlyDictionary<string, string?> Expandable { get; } = new Dictionary<string, string?>();

    /// <summary>Further operations on one object, such as <c>finalize</c>.</summary>
    public virtual IReadOnlyDictionary<string, ResourceAction> Actions { get; } =
        new Dictionary<string, ResourceAction>();

    /// <summary>JSON of a new object with every default; id and created are filled in.</summary>
    protected abstract byte[] Blank { get; }

    public virtual long CreatedOf(JsonObject value) => Json.Whole(value, "created");

    public string?[] FiltersOf(JsonObject value)
    {
        var filters = Filters;
        var values = new string?[filters.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = FilterValue(value, filters[i].Field);
        }

        return values;
    }

    /// <summary>Creates an object from checked parameters and returns its bytes.</summary>
    public byte[] Create(Transaction transaction, JsonObject given)
    {
        var value = Json.Object(Blank);
        value["id"] = NewId(transaction, given);
        SetCreated(value, transaction.ChosenCreated ?? transaction.Now);
        CreateParams.Apply(value, given);
        Creating(transaction, value, given);
        return Store(transaction, value, "created");
    }

    /// <summary>Changes an object by checked parameters and returns its bytes; no event when nothing differs.</summary>
    public byte[] Update(Transaction transaction, string id, JsonObject given)
    {
        var bytes = transaction.Find(this, id) ?? throw StripeException.Missing(Label, id);
        var before = Json.Object(bytes);
        var after = Json.Object(bytes);
        UpdateParams.Apply(after, given);
        Updating(transaction, after, given);
        return Change(transaction, before, after, bytes);
    }

    /// <summary>Deletes an object and returns the stub.</summary>
    public byte[] Delete(Transaction transaction, string id)
    {
        var value = transaction.Require(this, id);
        Deleting(transaction, value);
        var stub = Json.Bytes(new JsonObject { ["id"] = id, ["object"] = ObjectName, ["deleted"] = true });
        transaction.Delete(this, id, stub);
        if (HasEvents)
        {
            transaction.Emit(ObjectName + ".deleted", DeletedPayload(value, stub));
        }

        Stored(transaction, value);

        return stub;
    }

    /// <summary>
    /// Stores <paramref name="after"/> and raises the change, unless it equals <paramref name="before"/>.
    /// </summary>
    public byte[] Change(
        Transaction transaction, JsonObject before, JsonObject after, byte[] unchanged, params string[] kinds)
    {
        var bytes = unchanged;
        if (AttributeDiff.Previous(before, after) is not null)
        {
            Touch(transaction, after);
            var previous = AttributeDiff.Previous(before, after)!;
            bytes = transaction.Put(this, after);
            if (HasEvents)
            {
                transaction.Emit(ObjectName + ".updated", bytes, Json.Bytes(previous));
            }

            Stored(transaction, after);
        }

        foreach (var kind in kinds)
        {
            transaction.Emit($"{ObjectName}.{kind}", bytes);
        }

        return bytes;
    }

    private byte[] Store(Transaction transaction, JsonObject value, string kind)
    {
        var bytes = transaction.Put(this, value);
        if (HasEvents)
        {
            transaction.Emit($"{ObjectName}.{kind}", bytes);
        }

        Stored(transaction, value);
        return bytes;
    }

    /// <summary>The value that a list filter compares; a dotted field reaches into a hash.</summary>
    protected virtual string? FilterValue(JsonObject value, string field) => Json.Leaf(Json.At(value, field));

    protected virtual string NewId(Transaction transaction, JsonObject given) => transaction.NewId(this);

    protected virtual void SetCreated(JsonObject value, long now) => value["created"] = now;

    protected virtual void Creating(Transaction transaction, JsonObject value, JsonObject given)
    {
    }

    protected virtual void Updating(Transaction transaction, JsonObject value, JsonObject given)
    {
    }

    protected virtual void Deleting(Transaction transaction, JsonObject value)
    {
    }

    /// <summary>Called after an object was put or deleted, for what follows from it.</summary>
    protected virtual void Stored(Transaction transaction, JsonObject value)
    {
    }

    /// <summary>Called once a change is certain, for fields such as <c>updated</c>.</summary>
    protected virtual void Touch(Transaction transaction, JsonObject value)
    {
    }

    protected virtual byte[] DeletedPayload(JsonObject value, byte[] stub) => stub;
}

/// <summary>An operation on one object beyond create, update and delete.</summary>
/// <param name="Params">What it takes.</param>
/// <param name="Run">Does it and returns the object's bytes.</param>
internal sealed record ResourceAction(ParamSet Params, Func<Transaction, string, JsonObject, byte[]> Run);
