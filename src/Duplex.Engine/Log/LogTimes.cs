namespace Duplex.Engine.Log;

/// <summary>Finds places in a partition by time.</summary>
public static class LogTimes
{
    /// <summary>The offset of the first entry that the log took at the time or later; the next offset if there is none.</summary>
    /// <param name="log">The log.</param>
    /// <param name="partition">The partition as it stands.</param>
    /// <param name="micros">Microseconds since 1970 UTC.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    public static async ValueTask<long> FirstAtAsync(
        IChangeLog log, PartitionState partition, long micros, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(partition);
        var (low, high) = (partition.FirstOffset, partition.NextOffset);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            using var page = await log.ReadAsync(partition.Topic, partition.Partition, middle, 1, 1, cancellationToken);
            if (page.Count == 0 || page.AppendedMicros(0) >= micros)
            {
                high = middle;
            }
            else
            {
                // Offsets may have gaps: what was asked for is the entry that was found.
                low = page.Offset(0) + 1;
            }
        }

        return low;
    }
}
