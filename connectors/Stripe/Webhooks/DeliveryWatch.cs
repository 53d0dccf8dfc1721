namespace Duplex.Connectors.Stripe.Webhooks;

/// <summary>
/// Notices webhooks that do not come. Polling covers for them, so that nothing is lost and nothing looks wrong: only
/// the delay tells. Safe to use from many threads at once.
/// </summary>
internal sealed class DeliveryWatch(bool expected, TimeProvider clock)
{
    /// <summary>A delivery this much older than an event may still be that event's, given two clocks.</summary>
    private const long ClockSlackSeconds = 60;

    private const long PatienceSeconds = 120;

    private readonly Lock _gate = new();
    private long? _delivered;
    private long? _missingSince;

    /// <summary>A signed delivery came.</summary>
    public void Delivered()
    {
        lock (_gate)
        {
            _delivered = clock.GetUtcNow().ToUnixTimeSeconds();
            _missingSince = null;
        }
    }

    /// <summary>A poll met an event that was created at this time.</summary>
    public void Polled(long created)
    {
        lock (_gate)
        {
            if (expected && (_delivered is null || _delivered + ClockSlackSeconds < created))
            {
                _missingSince ??= created;
            }
        }
    }

    /// <summary>What to tell an operator at this time of Stripe's clock; null when all is well.</summary>
    public string? Warning(long now)
    {
        lock (_gate)
        {
            return _missingSince is { } since && now - since > PatienceSeconds
                ? "Changes arrive by polling alone: Stripe's webhooks do not reach this connection. Check the endpoint's address, "
                    + "and that Stripe's dashboard shows no failed deliveries."
                : null;
        }
    }
}
