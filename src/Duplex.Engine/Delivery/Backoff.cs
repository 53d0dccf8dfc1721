namespace Duplex.Engine.Delivery;

/// <summary>Exponential back-off with jitter: attempt n waits between half of and the whole of base × 2ⁿ, up to a
/// cap.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan cap, int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>The wait before the next attempt after <paramref name="failed"/> failed ones (1 or more).</summary>
    public TimeSpan After(int failed)
    {
        var ceiling = Math.Min(cap.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, Math.Min(failed - 1, 20)));
        lock (_random)
        {
            return TimeSpan.FromMilliseconds(ceiling * (0.5 + (_random.NextDouble() / 2)));
        }
    }

    /// <summary>The wait, no shorter than what the other side asked for; what it asks for is believed up to ten
    /// minutes.</summary>
    public TimeSpan After(int failed, TimeSpan? asked)
    {
        var own = After(failed);
        var theirs = asked is null ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Clamp(asked.Value.TotalSeconds, 0, 600));
        return own > theirs ? own : theirs;
    }
}
