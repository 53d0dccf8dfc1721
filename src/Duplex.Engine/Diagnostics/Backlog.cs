using Duplex.Engine.Log;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Diagnostics;

/// <summary>What waits in the log before a leg, whether the leg runs, is paused, or has not come to its first
/// entry.</summary>
internal sealed class Backlog(EngineParts parts)
{
    /// <summary>Log entries that the leg has not passed, and when the oldest of them was appended: microseconds since 1970
    /// UTC, 0 if there is none.</summary>
    public async Task<(long Entries, long OldestMicros)> ReadAsync(
        SyncRuntime sync, LegView view, IReadOnlyList<PartitionState> partitions, CancellationToken cancellationToken)
    {
        var topic = sync.TopicOf(view.From);
        var trackers = view.Trackers;
        var stored = trackers.Count > 0
            ? []
            : await parts.Store.ReadPositionsAsync(new LegId(sync.Model.FullName, view.From), cancellationToken);
        long entries = 0;
        long oldest = 0;
        foreach (var partition in partitions.Where(p => p.Topic == topic))
        {
            var tracker = trackers.FirstOrDefault(t => t.Partition == partition.Partition);
            var position = tracker?.Position
                ?? stored.FirstOrDefault(p => p.Topic == topic && p.Partition == partition.Partition)?.Offset
                ?? partition.FirstOffset;
            if (position >= partition.NextOffset)
            {
                continue;
            }

            entries += partition.NextOffset - position;
            var micros = tracker is { OldestMicros: > 0 and var begun }
                ? begun
                : await AppendedAsync(partition, Math.Max(position, partition.FirstOffset), cancellationToken);
            oldest = oldest == 0 || micros is > 0 && micros < oldest ? micros : oldest;
        }

        return (entries, oldest);
    }

    private async Task<long> AppendedAsync(PartitionState partition, long offset, CancellationToken cancellationToken)
    {
        try
        {
            using var page =
                await parts.Log.ReadAsync(partition.Topic, partition.Partition, offset, 1, 1, cancellationToken);
            return page.Count > 0 ? page.AppendedMicros(0) : 0;
        }
        catch (SyncException)
        {
            // The leg that wants the entry tells why it cannot be read.
            return 0;
        }
    }
}
