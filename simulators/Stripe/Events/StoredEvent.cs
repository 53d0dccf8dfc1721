namespace Duplex.Simulators.Stripe.Events;

/// <summary>
/// An event with its payload frozen at the moment it happened. The object's bytes are shared with the store, so an
/// event costs little beside the object itself.
/// </summary>
internal sealed class StoredEvent(string id, string type, long created, EventCause cause)
{
    private int pendingWebhooks;

    public string Id { get; } = id;

    public string Type { get; } = type;

    /// <summary>Unix seconds.</summary>
    public long Created { get; } = created;

    public EventCause Cause { get; } = cause;

    public required byte[] Subject { get; init; }

    /// <summary>The JSON of <c>previous_attributes</c>, or null when the event has none.</summary>
    public byte[]? Previous { get; init; }

    /// <summary>Number of webhook endpoints that have not acknowledged the event.</summary>
    public int PendingWebhooks => Volatile.Read(ref pendingWebhooks);

    public void AddPending(int count) => Interlocked.Add(ref pendingWebhooks, count);
}

/// <summary>What made a change: an API request, or nothing that has one.</summary>
/// <param name="RequestId">Id of the request, or null.</param>
/// <param name="IdempotencyKey">Its key, or null.</param>
/// <param name="RequestIsNull">Whether the event shows <c>"request": null</c> instead of an object of nulls.</param>
internal sealed record EventCause(string? RequestId, string? IdempotencyKey, bool RequestIsNull = false)
{
    public static readonly EventCause Automatic = new(null, null);
}
