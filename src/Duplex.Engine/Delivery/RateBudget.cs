using Duplex.Sdk;

namespace Duplex.Engine.Delivery;

/// <summary>Token buckets in process, one per scope, served in order of arrival.</summary>
public sealed class RateBudget(TimeProvider clock) : IRateBudget
{
    private readonly Dictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async ValueTask AcquireAsync(string scope, double perSecond, int burst, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var interval = perSecond <= 0 ? 0 : (long)(clock.TimestampFrequency / perSecond);
        long wait;
        var bucket = Of(scope);
        lock (bucket)
        {
            wait = bucket.Take(clock.GetTimestamp(), interval, Math.Max(1, burst));
        }

        if (wait <= 0)
        {
            return;
        }

        try
        {
            await Task.Delay(TimeSpan.FromSeconds((double)wait / clock.TimestampFrequency), clock, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            lock (bucket)
            {
                bucket.Return(interval);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public void HoldBack(string scope, TimeSpan duration)
    {
        var bucket = Of(scope);
        lock (bucket)
        {
            bucket.Hold(clock.GetTimestamp() + (long)(duration.TotalSeconds * clock.TimestampFrequency));
        }
    }

    private Bucket Of(string scope)
    {
        lock (_buckets)
        {
            if (!_buckets.TryGetValue(scope, out var bucket))
            {
                _buckets[scope] = bucket = new Bucket();
            }

            return bucket;
        }
    }

    /// <summary>
    /// The bucket as the instant at which it is full again: one request moves it by one interval, and a request may go
    /// while it is less than a burst ahead of now.
    /// </summary>
    private sealed class Bucket
    {
        private long _full;
        private long _heldUntil;

        public long Take(long now, long interval, int burst)
        {
            _full = Math.Max(_full, Math.Max(now, _heldUntil)) + interval;
            return Math.Max(_full - (burst * interval), _heldUntil) - now;
        }

        public void Return(long interval) => _full -= interval;

        public void Hold(long until) => _heldUntil = Math.Max(_heldUntil, until);
    }
}
