using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Log;

/// <summary>Tells a log that lost entries, or is another one, from one that a leg has read to its end.</summary>
internal static class LogReach
{
    /// <summary>Refuses a position that the log does not reach: going on there would skip what the log takes until it
    /// does.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageUnreadable"/>.</exception>
    public static void Require(LegPosition position, PartitionState partition)
    {
        if (position.Offset > partition.NextOffset)
        {
            throw new SyncException(ErrorCode.StorageUnreadable,
                $"{position.Leg} has read partition {partition.Partition} of {partition.Topic} up to offset {position.Offset}, and " +
                $"the log ends at {partition.NextOffset}: it is not the log that the data directory belongs to, or it lost entries.",
                "Give the configuration the log that it had. To begin with another one, begin with an empty data directory.");
        }
    }
}
