using Duplex.Simulators.Stripe.Http;

namespace Duplex.Simulators.Stripe.Store;

/// <summary>Remembers the first answer to every idempotency key for 24 hours. Guarded by the account's gate.</summary>
internal sealed class IdempotencyStore(SimulatedClock clock)
{
    public const int KeyLengthMax = 255;

    private static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    private readonly Dictionary<string, IdempotencyEntry> byKey = new(StringComparer.Ordinal);
    private readonly Queue<IdempotencyEntry> byAge = new();

    public int Count => byKey.Count;

    public IEnumerable<IdempotencyEntry> Finished => byAge.Where(static entry => entry.Response is not null);

    /// <summary>Claims the key for a request that is about to run, or returns the answer to replay.</summary>
    /// <returns>The entry; with a response it is to be replayed, without one the caller now owns it.</returns>
    /// <exception cref="StripeException">The key is in use, or was used for another request.</exception>
    public IdempotencyEntry Claim(string key, string path, UInt128 fingerprint)
    {
        Prune();
        if (!byKey.TryGetValue(key, out var entry))
        {
            entry = new IdempotencyEntry(key, path, fingerprint) { At = clock.Now };
            byKey.Add(key, entry);
            return entry;
        }

        if (entry.Path != path)
        {
            throw StripeException.KeyReused("Keys for idempotent requests can only be used for the same endpoint they "
                + $"were first used for ('{path}' vs '{entry.Path}'). Try using a key other than '{key}' if you meant "
                + "to execute a different request.");
        }

        if (entry.Fingerprint != fingerprint)
        {
            throw StripeException.KeyReused("Keys for idempotent requests can only be used with the same parameters "
                + $"they were first used with. Try using a key other than '{key}' if you meant to execute a different "
                + "request.");
        }

        return entry.Response is not null ? entry : throw StripeException.KeyInUse(key);
    }

    /// <summary>Keeps the answer; from here on it is replayed.</summary>
    public void Finish(IdempotencyEntry entry, ApiResponse response, string requestId)
    {
        entry.Response = response;
        entry.RequestId = requestId;
        byAge.Enqueue(entry);
    }

    /// <summary>Gives the key back: the request did not execute.</summary>
    public void Release(IdempotencyEntry entry) => byKey.Remove(entry.Key);

    /// <summary>Puts back an entry that was kept on disk.</summary>
    public void Restore(IdempotencyEntry entry)
    {
        byKey[entry.Key] = entry;
        byAge.Enqueue(entry);
    }

    public void Clear()
    {
        byKey.Clear();
        byAge.Clear();
    }

    private void Prune()
    {
        var oldest = clock.Now - Kept;
        while (byAge.TryPeek(out var entry) && entry.At <= oldest)
        {
            byAge.Dequeue();
            if (byKey.TryGetValue(entry.Key, out var held) && ReferenceEquals(held, entry))
            {
                byKey.Remove(entry.Key);
            }
        }
    }
}

/// <summary>What is known about one key: the request it belongs to and, once finished, the answer.</summary>
internal sealed class IdempotencyEntry(string key, string path, UInt128 fingerprint)
{
    public string Key { get; } = key;

    public string Path { get; } = path;

    public UInt128 Fingerprint { get; } = fingerprint;

    public DateTimeOffset At { get; init; }

    /// <summary>Null while the request runs.</summary>
    public ApiResponse? Response { get; set; }

    /// <summary>Id of the request that executed.</summary>
    public string RequestId { get; set; } = string.Empty;
}
