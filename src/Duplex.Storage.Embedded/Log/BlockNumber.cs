namespace Duplex.Storage.Embedded.Log;

/// <summary>A block's row number: the partition in the upper 19 bits, the first offset in the lower 44.</summary>
internal static class BlockNumber
{
    /// <summary>Seventeen trillion entries in a partition: fifteen years at the design load on one partition.</summary>
    internal const long OffsetMax = (1L << 44) - 1;

    /// <summary>The most partitions that one log ever makes.</summary>
    internal const long PartitionMax = (1L << 19) - 1;

    internal static long Of(long partition, long offset) => (partition << 44) | offset;

    internal static long Last(long partition) => Of(partition, OffsetMax);

    internal static long Offset(long number) => number & OffsetMax;
}
