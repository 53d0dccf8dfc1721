using Duplex.Engine.Capture;
using Duplex.Engine.Log;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Reconcile;

/// <summary>
/// The first pass over a side's log: indexes existing records by their match values, until the side's snapshot is
/// complete. No record is delivered before both sides are indexed, so that none is created which a partner waits for.
/// </summary>
internal sealed class Indexer(SyncContext sync, Side side, IChangeLog log, CaptureLoop capture)
{
    private const int EntriesMax = 1000;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly string _topic = sync.Connection(side).TopicOf(sync.Stream(side));

    /// <summary>Runs until the side is indexed; returns at once when it was before.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (await IndexMarks.ReadAsync(sync, side, cancellationToken) is not null)
        {
            return;
        }

        var owner = sync.Leg(side).ToString();
        var epoch = await sync.Store.AcquireAsync(owner, cancellationToken);
        var next = new Dictionary<int, long>();
        foreach (var partition in await PartitionsAsync(cancellationToken))
        {
            next[partition.Partition] = partition.FirstOffset;
            await log.AdvanceConsumerAsync(owner, _topic, partition.Partition, partition.FirstOffset,
                cancellationToken);
        }

        while (true)
        {
            // Asked before the ends are read: what a complete snapshot appended lies before them.
            var complete = capture.SnapshotComplete;
            var ends = await PartitionsAsync(cancellationToken);
            foreach (var partition in ends)
            {
                next[partition.Partition] = await IndexAsync(
                    partition.Partition, next.GetValueOrDefault(partition.Partition, partition.FirstOffset),
                    partition.NextOffset, owner, epoch, cancellationToken);
            }

            if (complete)
            {
                var commit = new StateCommit { Owner = owner, Epoch = epoch };
                commit.Mutations.Add(IndexMarks.Put(sync, side, next));
                await sync.Store.CommitAsync(commit, cancellationToken);
                return;
            }

            await Task.Delay(Poll, sync.Clock, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<PartitionState>> PartitionsAsync(CancellationToken cancellationToken) =>
        [.. (await log.DescribeAsync(cancellationToken)).Where(p => p.Topic == _topic)];

    private async Task<long> IndexAsync(
        int partition, long from, long end, string owner, long epoch, CancellationToken cancellationToken)
    {
        while (from < end)
        {
            using var page = await log.ReadAsync(_topic, partition, from, EntriesMax, 4 << 20, cancellationToken);
            if (page.Count == 0)
            {
                return from;
            }

            var commit = new StateCommit { Owner = owner, Epoch = epoch };
            var keys = Enumerable.Range(0, page.Count).Select(i => RecordKey.FromUtf8(page.Key(i).Span)).ToArray();
            var links = await sync.Store.FindLinksAsync(sync.Name, side, keys, cancellationToken);
            for (var i = 0; i < page.Count; i++)
            {
                Index(commit, ChangeEnvelope.Parse(keys[i], page.Value(i)), links[i]);
            }

            await sync.Store.CommitAsync(commit, cancellationToken);
            from = page.Offset(page.Count - 1) + 1;
        }

        return from;
    }

    private void Index(StateCommit commit, Change change, Link? link)
    {
        if (!change.PreviousKey.IsEmpty)
        {
            commit.Mutations.Add(new StateMutation.RemoveCandidate(sync.Name, side, change.PreviousKey));
        }

        if (change.Key.IsEmpty || link is not null)
        {
            return;
        }

        if (change.After is { } after && (sync.Model.Of(side).When?.Holds(after.Root) ?? true))
        {
            commit.Mutations.Add(new StateMutation.PutCandidate(
                new Candidate(sync.Name, side, change.Key, sync.Match.Of(side, after.Root))));
        }
        else
        {
            commit.Mutations.Add(new StateMutation.RemoveCandidate(sync.Name, side, change.Key));
        }
    }
}
