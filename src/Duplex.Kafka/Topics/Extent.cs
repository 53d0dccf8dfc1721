namespace Duplex.Kafka.Topics;

/// <summary>
/// What a partition holds. Offsets of entries are not contiguous: Kafka gives every end of a transaction one. Ordinals
/// and sums are therefore counted apart and travel with each entry (<see cref="EntryHeaders"/>).
/// </summary>
/// <param name="First">Everything below this offset is removed.</param>
/// <param name="Last">The offset of the last entry; below <paramref name="First"/> when there is none.</param>
/// <param name="Removed">How many entries went before.</param>
/// <param name="RemovedBytes">Their bytes.</param>
/// <param name="Count">How many entries there ever were.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="OldestMicros">When the first entry that is there was appended, microseconds since 1970 UTC.</param>
internal sealed record Extent(
    long First, long Last, long Removed, long RemovedBytes, long Count, long Bytes, long OldestMicros)
{
    public bool IsEmpty => Last < First;

    /// <summary>No entry is at or after it.</summary>
    public long Next => IsEmpty ? First : Last + 1;

    /// <summary>Bytes of keys and envelopes that are there.</summary>
    public long Held => Bytes - RemovedBytes;

    public static Extent Empty(long first) => new(first, first - 1, 0, 0, 0, 0, 0);
}
