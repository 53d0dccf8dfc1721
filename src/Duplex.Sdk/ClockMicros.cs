namespace Duplex.Sdk;

/// <summary>Clocks in the unit of the contract's instants.</summary>
public static class ClockMicros
{
    /// <summary>The present instant in microseconds since 1970 UTC.</summary>
    public static long NowMicros(this TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        return (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
    }
}
