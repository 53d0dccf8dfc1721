namespace Duplex.Simulators.Stripe.Store;

/// <summary>Delays what search sees by a lag. Guarded by the account's gate.</summary>
internal sealed class SearchIndex(SimulatedClock clock, TimeSpan lag)
{
    private readonly Queue<(StoredObject Object, byte[] Json, DateTimeOffset Due)> waiting = new();

    public void Note(StoredObject stored)
    {
        if (lag <= TimeSpan.Zero)
        {
            stored.Indexed = stored.Json;
            return;
        }

        CatchUp();
        waiting.Enqueue((stored, stored.Json, clock.Now + lag));
    }

    public void CatchUp()
    {
        while (waiting.TryPeek(out var next) && next.Due <= clock.Now)
        {
            waiting.Dequeue();
            if (!next.Object.Deleted)
            {
                next.Object.Indexed = next.Json;
            }
        }
    }

    public void Clear() => waiting.Clear();
}
