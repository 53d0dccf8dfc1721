using System.Threading.Channels;
using Duplex.Engine.Links;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>
/// Records the outcomes of one leg: takes everything that waits, adds the positions that it completes, and makes it
/// durable in one commit. While the store is full it tries again until there is room.
/// </summary>
internal sealed class Committer(SyncContext sync, LegId leg, long epoch) : IAsyncDisposable
{
    private const int MutationsMax = 4096;

    private readonly Channel<Entry> _entries =
        Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<(string Topic, int Partition), OffsetTracker> _trackers = [];
    private readonly TaskCompletionSource<Exception> _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    /// <summary>Completes with what broke the committer: the store failed or fenced us off.</summary>
    public Task<Exception> Broken => _broken.Task;

    /// <summary>Starts recording.</summary>
    public void Start() => _loop = Task.Run(RunAsync);

    /// <summary>Registers a partition with the offset from which the leg continues.</summary>
    public OffsetTracker Track(string topic, int partition, long offset, long oldBelow)
    {
        var tracker = new OffsetTracker(topic, partition, offset) { OldBelow = oldBelow };
        _trackers.Add((topic, partition), tracker);
        return tracker;
    }

    /// <summary>
    /// Records mutations, and the log entry that they end (null for work that is not from the log); returns when they
    /// are durable.
    /// </summary>
    /// <exception cref="LinkTakenException">A key has another partner already; nothing was recorded.</exception>
    public Task CommitAsync(IReadOnlyList<StateMutation> mutations, OffsetTracker? tracker = null, long offset = 0)
    {
        var entry = new Entry(
            mutations, tracker, offset, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return _entries.Writer.TryWrite(entry)
            ? entry.Done.Task
            : Task.FromException(new OperationCanceledException("The leg has stopped."));
    }

    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _loop;
    }

    private async Task RunAsync()
    {
        var batch = new List<Entry>();
        while (await _entries.Reader.WaitToReadAsync())
        {
            batch.Clear();
            var mutations = 0;
            while (mutations < MutationsMax && _entries.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
                mutations += entry.Mutations.Count + 1;
            }

            try
            {
                await WriteAsync(batch);
            }
            catch (Exception e)
            {
                _broken.TrySetResult(e);
                Fail(batch, e);
            }
        }
    }

    private async Task WriteAsync(List<Entry> batch)
    {
        if (_broken.Task.IsCompleted)
        {
            throw new OperationCanceledException("The leg's store has failed.");
        }

        try
        {
            await StoreAsync(batch);
        }
        catch (LinkTakenException e) when (batch.Count == 1)
        {
            batch[0].Done.TrySetException(e);
        }
        catch (LinkTakenException)
        {
            foreach (var entry in batch)
            {
                await WriteAsync([entry]);
            }
        }
    }

    private async Task StoreAsync(List<Entry> batch)
    {
        var commit = new StateCommit { Owner = leg.ToString(), Epoch = epoch };
        foreach (var entry in batch)
        {
            commit.Mutations.AddRange(entry.Mutations);
        }

        foreach (var ended in batch.Where(static e => e.Tracker is not null).GroupBy(static e => e.Tracker!))
        {
            var offsets = ended.Select(static e => e.Offset).ToArray();
            commit.Positions.Add(new LegPosition(leg, ended.Key.Topic, ended.Key.Partition, ended.Key.NextIfDone(offsets)));
            commit.Mutations.Add(HighMarks.Put(leg, ended.Key.Partition, ended.Key.HighestIfDone(offsets)));
        }

        await StoreWhenThereIsRoomAsync(commit);
        foreach (var entry in batch)
        {
            entry.Tracker?.Done(entry.Offset);
            Touch(entry.Mutations);
            entry.Done.TrySetResult();
        }
    }

    private async Task StoreWhenThereIsRoomAsync(StateCommit commit)
    {
        while (true)
        {
            try
            {
                await sync.Store.CommitAsync(commit, CancellationToken.None);
                return;
            }
            catch (SyncException e)
                when (e.Error.Code is ErrorCode.StorageFull or ErrorCode.StorageUnavailable && !_entries.Reader.Completion.IsCompleted)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), sync.Clock);
            }
        }
    }

    private void Touch(IReadOnlyList<StateMutation> mutations)
    {
        foreach (var mutation in mutations)
        {
            switch (mutation)
            {
                case StateMutation.PutLink put:
                    sync.Stamps.Touch(Side.A, put.Link.A);
                    sync.Stamps.Touch(Side.B, put.Link.B);
                    break;
                case StateMutation.PutPending put:
                    sync.Stamps.Touch(put.Pending.Leg.From, put.Pending.Key);
                    break;
                case StateMutation.RemovePending remove:
                    sync.Stamps.Touch(remove.Leg.From, remove.Key);
                    break;
                case StateMutation.PutDeadLetter put:
                    sync.Stamps.Touch(put.Letter.Leg.From, put.Letter.Key);
                    break;
                case StateMutation.RemoveDeadLetter remove:
                    sync.Stamps.Touch(remove.Leg.From, remove.Key);
                    break;
                default:
                    break;
            }
        }
    }

    private static void Fail(List<Entry> batch, Exception e) => batch.ForEach(b => b.Done.TrySetException(e));

    private sealed record Entry(
        IReadOnlyList<StateMutation> Mutations, OffsetTracker? Tracker, long Offset, TaskCompletionSource Done);
}
