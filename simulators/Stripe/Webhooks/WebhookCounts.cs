namespace Duplex.Simulators.Stripe.Webhooks;

/// <summary>What became of webhooks. Safe for parallel use.</summary>
internal sealed class WebhookCounts
{
    private long delivered;
    private long failed;
    private long dropped;
    private long givenUp;
    private int running;

    public long DeliveredCount => Interlocked.Read(ref delivered);

    /// <summary>Attempts without a 2xx answer.</summary>
    public long FailedCount => Interlocked.Read(ref failed);

    public long DroppedCount => Interlocked.Read(ref dropped);

    public long GivenUpCount => Interlocked.Read(ref givenUp);

    public int Running => Volatile.Read(ref running);

    public void Delivered() => Interlocked.Increment(ref delivered);

    public void Failed() => Interlocked.Increment(ref failed);

    public void Dropped() => Interlocked.Increment(ref dropped);

    public void GivenUp() => Interlocked.Increment(ref givenUp);

    public void Started() => Interlocked.Increment(ref running);

    public void Ended() => Interlocked.Decrement(ref running);

    public void Clear()
    {
        Interlocked.Exchange(ref delivered, 0);
        Interlocked.Exchange(ref failed, 0);
        Interlocked.Exchange(ref dropped, 0);
        Interlocked.Exchange(ref givenUp, 0);
    }
}
