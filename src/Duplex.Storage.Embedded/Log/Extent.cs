namespace Duplex.Storage.Embedded.Log;

/// <summary>What a partition holds.</summary>
/// <param name="First">The first offset that can be read.</param>
/// <param name="Next">The offset that the next entry gets.</param>
/// <param name="Bytes">Bytes of keys and envelopes.</param>
/// <param name="OldestMicros">When the oldest entry was appended, microseconds since 1970 UTC; meaningless when it is
/// empty.</param>
internal sealed record Extent(long First, long Next, long Bytes, long OldestMicros)
{
    /// <summary>A partition that never held anything.</summary>
    public static readonly Extent Empty = new(0, 0, 0, 0);

    /// <summary>Whether there is nothing to read.</summary>
    public bool IsEmpty => First == Next;
}
