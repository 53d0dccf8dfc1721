namespace Duplex.Connectors.Stripe.Tests;

/// <summary>A clock whose date a test sets; its timers run by the real one.</summary>
internal sealed class SetClock(long unixSeconds) : TimeProvider
{
    public long UnixSeconds { get; set; } = unixSeconds;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeSeconds(UnixSeconds);
}
