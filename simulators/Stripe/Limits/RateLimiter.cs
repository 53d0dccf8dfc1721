using Duplex.Simulators.Stripe.Http;

namespace Duplex.Simulators.Stripe.Limits;

/// <summary>
/// Token buckets, one for the account and one for each operation, each holding one second's worth. Safe for parallel
/// use. Runs on the real clock: moving the simulated one refills nothing.
/// </summary>
internal sealed class RateLimiter
{
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly StripeLimits limits;
    private readonly Bucket? global;
    private readonly Dictionary<string, Bucket> buckets = new(StringComparer.Ordinal);
    private int running;

    public RateLimiter(StripeLimits limits, TimeProvider time)
    {
        this.time = time;
        this.limits = limits;
        global = limits.GlobalPerSecond > 0 ? new Bucket(limits.GlobalPerSecond, time.GetTimestamp()) : null;
    }

    /// <summary>
    /// Lets a request in or says why not: the reason header's text. Each admission is followed by a leave.
    /// </summary>
    public string? Enter(Operation operation)
    {
        var concurrent = Interlocked.Increment(ref running);
        var reason = limits.ConcurrentMax > 0 && concurrent > limits.ConcurrentMax
            ? "global-concurrency"
            : Take(operation);
        if (reason is not null)
        {
            Leave();
        }

        return reason;
    }

    public void Leave() => Interlocked.Decrement(ref running);

    private string? Take(Operation operation)
    {
        if (global is null && limits is { OperationPerSecond: 0, SearchPerSecond: 0, PerOperation.Count: 0 })
        {
            return null;
        }

        lock (gate)
        {
            var now = time.GetTimestamp();
            if (global is not null && !global.TryTake(now, time))
            {
                return "global-rate";
            }

            return BucketOf(operation, now) is { } bucket && !bucket.TryTake(now, time) ? "endpoint-rate" : null;
        }
    }

    private Bucket? BucketOf(Operation operation, long now)
    {
        if (buckets.TryGetValue(operation.Name, out var bucket))
        {
            return bucket;
        }

        var rate = limits.PerOperation.TryGetValue(operation.Name, out var own) ? own
            : operation.Kind == OperationKind.Search ? limits.SearchPerSecond
            : limits.OperationPerSecond;
        return rate > 0 ? buckets[operation.Name] = new Bucket(rate, now) : null;
    }

    private sealed class Bucket(double perSecond, long now)
    {
        private double tokens = Math.Max(1, perSecond);
        private long filled = now;

        public bool TryTake(long now, TimeProvider time)
        {
            tokens = Math.Min(
                Math.Max(1, perSecond), tokens + (time.GetElapsedTime(filled, now).TotalSeconds * perSecond));
            filled = now;
            if (tokens < 1)
            {
                return false;
            }

            tokens -= 1;
            return true;
        }
    }
}
