using System.Globalization;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Log;

/// <summary>
/// Tells a log that lost entries, or is another one, from one that a leg has read to its end. Which log a position belongs to is
/// kept beside it. A log that was too short is remembered, so that it is no less refused when it has grown past the leg's position
/// meanwhile: the leg would skip what it took until then.
/// </summary>
internal sealed class LogReach(IChangeLog log, IStateStore store, TimeProvider clock)
{
    /// <summary>What keeps beside a leg's position which log it belongs to.</summary>
    public StateMutation NoteOf(LegId leg, string topic, int partition) =>
        new StateMutation.PutValue(MarkOf(leg, topic, partition), log.Identity);

    /// <summary>Keeps beside the position that a leg begins with which log it belongs to.</summary>
    public ValueTask NoteAsync(LegPosition position, long epoch, CancellationToken cancellationToken) => PutAsync(
        position.Leg, epoch, MarkOf(position.Leg, position.Topic, position.Partition), log.Identity, cancellationToken);

    /// <summary>Refuses a leg's position that the log does not reach, or did not when the leg last asked and reaches by entries
    /// that came after; and one of another log.</summary>
    /// <param name="position">Where the leg goes on.</param>
    /// <param name="partition">The partition as it stands.</param>
    /// <param name="epoch">The leg's epoch.</param>
    /// <param name="cancellationToken">Stops what has not begun.</param>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageUnreadable"/>.</exception>
    public async ValueTask RequireAsync(
        LegPosition position, PartitionState partition, long epoch, CancellationToken cancellationToken)
    {
        var mark = $"short:{position.Leg}:{position.Topic}/{position.Partition}";
        var noted = await store.ReadValueAsync(mark, cancellationToken);
        if (position.Offset > partition.NextOffset)
        {
            if (noted is null)
            {
                var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
                await PutAsync(position.Leg, epoch, mark, now.ToString(CultureInfo.InvariantCulture), cancellationToken);
            }

            throw Refused(position, $"the log ends at {partition.NextOffset}");
        }

        if (noted is null)
        {
            await RequireSameAsync(position, epoch, cancellationToken);
            return;
        }

        if (await MillisAsync(position, partition, cancellationToken) >= long.Parse(noted, CultureInfo.InvariantCulture))
        {
            throw Refused(position, "the log ended before that, and has grown since");
        }

        await RequireSameAsync(position, epoch, cancellationToken);
        await PutAsync(position.Leg, epoch, mark, null, cancellationToken);
    }

    /// <summary>Refuses the position of another log, of which something was read. One that a version kept that did not note its log
    /// belongs to this one.</summary>
    private async ValueTask RequireSameAsync(LegPosition position, long epoch, CancellationToken cancellationToken)
    {
        var noted = await store.ReadValueAsync(
            MarkOf(position.Leg, position.Topic, position.Partition), cancellationToken);
        if (noted == log.Identity)
        {
            return;
        }

        if (noted is not null && position.Offset > 0)
        {
            throw Refused(position, $"that was the log {noted}, and this is {log.Identity}");
        }

        await NoteAsync(position, epoch, cancellationToken);
    }

    private static string MarkOf(LegId leg, string topic, int partition) => $"log:{leg}:{topic}/{partition}";

    private static SyncException Refused(LegPosition position, string found) => new(ErrorCode.StorageUnreadable,
        $"{position.Leg} has read partition {position.Partition} of {position.Topic} up to offset {position.Offset}, and {found}: " +
        "it is not the log that the data directory belongs to, or it lost entries.",
        "Give the configuration the log that it had. To begin with another one, begin with an empty data directory.");

    /// <summary>When the log took the entry that the leg read last, or the next one if that is removed; milliseconds since 1970
    /// UTC. Zero when there is none.</summary>
    private async ValueTask<long> MillisAsync(
        LegPosition position, PartitionState partition, CancellationToken cancellationToken)
    {
        var from = Math.Max(partition.FirstOffset, position.Offset - 1);
        using var page = await log.ReadAsync(position.Topic, position.Partition, from, 1, 1, cancellationToken);
        return page.Count == 0 ? 0 : page.AppendedMicros(0) / 1000;
    }

    private async ValueTask PutAsync(
        LegId leg, long epoch, string name, string? value, CancellationToken cancellationToken)
    {
        var commit = new StateCommit { Owner = leg.ToString(), Epoch = epoch };
        commit.Mutations.Add(new StateMutation.PutValue(name, value));
        await store.CommitAsync(commit, cancellationToken);
    }
}
