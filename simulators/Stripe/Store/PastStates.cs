namespace Duplex.Simulators.Stripe.Store;

/// <summary>The states that objects had a moment ago, for reads that lag behind the writes. Guarded by the account's gate.</summary>
internal sealed class PastStates(SimulatedClock clock)
{
    private static readonly TimeSpan AgeMax = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, List<(DateTimeOffset Until, byte[]? Json)>> byId = new(StringComparer.Ordinal);

    /// <summary>Whether states are kept at all; from then on, not from before.</summary>
    public bool AreKept { get; set; }

    /// <summary>Notes the bytes that an object had until now; null when it did not exist.</summary>
    public void Note(string id, byte[]? json)
    {
        if (!AreKept)
        {
            return;
        }

        if (!byId.TryGetValue(id, out var states))
        {
            byId[id] = states = [];
        }

        states.RemoveAll(state => state.Until < clock.Now - AgeMax);
        states.Add((clock.Now, json));
    }

    /// <summary>What a read sees that lags by so much, and what is called once it shows what is no longer so.</summary>
    public LaggingRead Read(TimeSpan lag, Action isStale) => new(this, clock.Now - lag, isStale);

    /// <summary>Whether the object has changed since; and its bytes then, null when it did not exist.</summary>
    public bool TryFind(string id, DateTimeOffset at, out byte[]? json)
    {
        foreach (var state in byId.GetValueOrDefault(id) ?? [])
        {
            if (state.Until > at)
            {
                json = state.Json;
                return true;
            }
        }

        json = null;
        return false;
    }

    public void Clear() => byId.Clear();
}

/// <summary>A read that shows the account as it was at an earlier time.</summary>
internal sealed class LaggingRead(PastStates past, DateTimeOffset at, Action isStale)
{
    private bool wasStale;

    /// <summary>The object's bytes as they were; null when it did not exist.</summary>
    public byte[]? See(string id, byte[]? now)
    {
        if (!past.TryFind(id, at, out var then))
        {
            return now;
        }

        if (!wasStale)
        {
            wasStale = true;
            isStale();
        }

        return then;
    }
}
