using System.Collections.Concurrent;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>Counts what was asked and what was changed. Safe for parallel use.</summary>
internal sealed class RequestStatistics
{
    /// <summary>Stands for the status of a request whose connection was broken off.</summary>
    public const int NoAnswer = 0;

    private readonly ConcurrentDictionary<(string Operation, int Status), StrongBox> answers = new();
    private readonly ConcurrentDictionary<string, int> writes = new(StringComparer.Ordinal);
    private long requests;
    private long replays;
    private long changed;
    private long unchanged;

    public long Requests => Interlocked.Read(ref requests);

    public long Replays => Interlocked.Read(ref replays);

    /// <summary>API writes that changed something.</summary>
    public long WritesChanged => Interlocked.Read(ref changed);

    /// <summary>API writes that were accepted and changed nothing.</summary>
    public long WritesUnchanged => Interlocked.Read(ref unchanged);

    /// <summary>Number of API writes that changed each object.</summary>
    public IReadOnlyDictionary<string, int> WritesByObject => writes;

    public void Answered(Operation? operation, int status)
    {
        Interlocked.Increment(ref requests);
        var counter = answers.GetOrAdd((operation?.Name ?? "unknown", status), static _ => new StrongBox());
        Interlocked.Increment(ref counter.Value);
    }

    public void Replayed() => Interlocked.Increment(ref replays);

    public void Written(Operation operation, Transaction transaction)
    {
        if (!operation.Writes)
        {
            return;
        }

        Interlocked.Increment(ref transaction.HasChanges ? ref changed : ref unchanged);
        foreach (var change in transaction.Changes)
        {
            writes.AddOrUpdate(change.Id, 1, static (_, count) => count + 1);
        }
    }

    /// <summary>Answers by operation and status.</summary>
    public IReadOnlyDictionary<string, SortedDictionary<int, long>> ByOperation()
    {
        var all = new SortedDictionary<string, SortedDictionary<int, long>>(StringComparer.Ordinal);
        foreach (var ((operation, status), counter) in answers)
        {
            if (!all.TryGetValue(operation, out var statuses))
            {
                all[operation] = statuses = [];
            }

            statuses[status] = Interlocked.Read(ref counter.Value);
        }

        return all;
    }

    public void Clear()
    {
        answers.Clear();
        writes.Clear();
        Interlocked.Exchange(ref requests, 0);
        Interlocked.Exchange(ref replays, 0);
        Interlocked.Exchange(ref changed, 0);
        Interlocked.Exchange(ref unchanged, 0);
    }

    private sealed class StrongBox
    {
        public long Value;
    }
}
