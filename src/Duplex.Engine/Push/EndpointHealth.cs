using Duplex.Engine.Delivery;

namespace Duplex.Engine.Push;

/// <summary>
/// How an endpoint fares. While request after request fails, one is tried at a time and ever more seldom, so that an
/// outage neither burns the attempts of every record nor adds to the endpoint's load. Used by one loop.
/// </summary>
internal sealed class EndpointHealth(int parallelism, int seed)
{
    private const int FailuresToDoubt = 10;

    private readonly Backoff _between = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5), seed);
    private readonly Backoff _rest = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), seed + 1);
    private readonly Backoff _throttle = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), seed + 2);
    private int _throttled;
    private int _doubts;
    private long _notBefore;

    /// <summary>Failures since the last success.</summary>
    public int Failures { get; private set; }

    /// <summary>Whether it fails as a whole, as far as can be told.</summary>
    public bool InDoubt => Failures >= FailuresToDoubt;

    /// <summary>How many requests may be under way.</summary>
    public int Slots => InDoubt ? 1 : parallelism;

    /// <summary>The instant before which nothing is sent.</summary>
    public long NotBeforeMicros => _notBefore;

    public void Succeeded()
    {
        Failures = 0;
        _throttled = 0;
        _doubts = 0;
    }

    /// <summary>Requests that were under way together count as one towards the wait.</summary>
    public void Failed(long nowMicros, bool overloaded)
    {
        Failures++;
        if (nowMicros < _notBefore)
        {
            return;
        }

        if (InDoubt)
        {
            HoldUntil(nowMicros + Micros(_between.After(++_doubts)));
        }
        else if (overloaded)
        {
            HoldUntil(nowMicros + Micros(_rest.After(Failures)));
        }
    }

    /// <summary>The instant that the endpoint is to be left alone until.</summary>
    public long Throttled(long nowMicros, TimeSpan? asked)
    {
        if (asked is { } wait)
        {
            HoldUntil(nowMicros + Micros(wait));
        }
        else if (nowMicros >= _notBefore)
        {
            HoldUntil(nowMicros + Micros(_throttle.After(++_throttled)));
        }

        return _notBefore;
    }

    public void HoldUntil(long micros) => _notBefore = Math.Max(_notBefore, micros);

    /// <summary>Forgets everything bad.</summary>
    public void Reset()
    {
        Succeeded();
        _notBefore = 0;
    }

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}
