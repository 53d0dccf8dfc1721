namespace Duplex.Simulators.Stripe.Store;

/// <summary>
/// The simulator's idea of now: the real clock plus an offset that a test moves, or a time that stands still.
/// </summary>
internal sealed class SimulatedClock(TimeProvider real)
{
    private long offsetTicks;
    private long frozenTicks;

    /// <summary>Raised after the clock was moved, so that waiting work looks at its due time again.</summary>
    public event Action? Moved;

    public TimeProvider Real { get; } = real;

    public DateTimeOffset Now
    {
        get
        {
            var frozen = Interlocked.Read(ref frozenTicks);
            return frozen != 0
                ? new DateTimeOffset(frozen, TimeSpan.Zero)
                : Real.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref offsetTicks));
        }
    }

    public long NowSeconds => Now.ToUnixTimeSeconds();

    public void Advance(TimeSpan by) => Set(Now + by, Interlocked.Read(ref frozenTicks) != 0);

    /// <summary>Moves the clock to <paramref name="now"/>, where it stands still or goes on.</summary>
    public void Set(DateTimeOffset now, bool frozen)
    {
        Interlocked.Exchange(ref offsetTicks, (now - Real.GetUtcNow()).Ticks);
        Interlocked.Exchange(ref frozenTicks, frozen ? now.UtcTicks : 0);
        Moved?.Invoke();
    }

    public void Reset()
    {
        Interlocked.Exchange(ref offsetTicks, 0);
        Interlocked.Exchange(ref frozenTicks, 0);
        Moved?.Invoke();
    }
}
