using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Events;

/// <summary>Events in the order they happened, kept for 30 days. Guarded by the account's gate.</summary>
internal sealed class EventLog(SimulatedClock clock)
{
    /// <summary>
    /// Events beyond this number are forgotten, the oldest first, so that long benchmarks stay in memory.
    /// </summary>
    public const int CountMax = 2_000_000;

    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    private readonly Dictionary<string, long> positions = new(StringComparer.Ordinal);
    private readonly List<StoredEvent?> entries = [];
    private long first;

    /// <summary>Number of events that are kept.</summary>
    public int Count => positions.Count;

    public StoredEvent Append(PendingEvent pending, string id, EventCause cause)
    {
        var happened = new StoredEvent(id, pending.Type, clock.NowSeconds, cause)
        {
            Subject = pending.Subject,
            Previous = pending.Previous,
        };
        Restore(happened);
        return happened;
    }

    /// <summary>Adds an event that exists already.</summary>
    public void Restore(StoredEvent happened)
    {
        Prune();
        positions[happened.Id] = first + entries.Count;
        entries.Add(happened);
    }

    public StoredEvent? Find(string id)
    {
        Prune();
        return positions.TryGetValue(id, out var position) ? entries[(int)(position - first)] : null;
    }

    /// <summary>Events beside <paramref name="cursor"/> (not included), towards older or newer ones.</summary>
    public IEnumerable<StoredEvent> Walk(StoredEvent? cursor, bool newer)
    {
        Prune();
        var step = newer ? 1 : -1;
        var at = cursor is null
            ? (newer ? Dropped() : entries.Count - 1)
            : (int)(positions[cursor.Id] - first) + step;
        for (; at >= 0 && at < entries.Count; at += step)
        {
            if (entries[at] is { } happened)
            {
                yield return happened;
            }
        }
    }

    public void Clear()
    {
        positions.Clear();
        entries.Clear();
        first = 0;
    }

    private int Dropped() => entries.Count - positions.Count;

    private void Prune()
    {
        var oldest = (clock.Now - Kept).ToUnixTimeSeconds();
        var dropped = Dropped();
        while (dropped < entries.Count
            && (entries[dropped]!.Created < oldest || entries.Count - dropped > CountMax))
        {
            positions.Remove(entries[dropped]!.Id);
            entries[dropped++] = null;
        }

        if (dropped > 65_536 && dropped > entries.Count / 2)
        {
            entries.RemoveRange(0, dropped);
            first += dropped;
        }
    }
}
