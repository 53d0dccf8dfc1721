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

    /// <summary>
    /// Where Kafka itself begins, if that is after <see cref="First"/>: between the two are ends of transactions only,
    /// which nobody missed who had read up to there.
    /// </summary>
    public long Start { get; init; }

    /// <summary>The lowest offset that Kafka can be asked for.</summary>
    public long Readable => Math.Max(First, Start);

    /// <summary>No entry is at or after it.</summary>
    public long Next => IsEmpty ? First : Last + 1;

    /// <summary>Bytes of keys and envelopes that are there.</summary>
    public long Held => Bytes - RemovedBytes;

    public static Extent Empty(long first) => new(first, first - 1, 0, 0, 0, 0, 0);

    /// <summary>
    /// A partition that Kafka has emptied: the last thing in it was the end of a transaction, and who had read every entry
    /// stands before that.
    /// </summary>
    public static Extent Emptied(long high) => Empty(Math.Max(0, high - 1)) with { Start = high };
}
