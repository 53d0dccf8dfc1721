using Amazon.DynamoDBv2.Model;
using Duplex.DynamoDb.Heads;
using Duplex.DynamoDb.Records;
using Duplex.DynamoDb.Requests;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.DynamoDb.Writing;

/// <summary>
/// Writes one feed for this process: records first, then the head that covers them, one group at a time. Whoever has
/// the turn writes what all callers have brought meanwhile.
/// </summary>
internal sealed class FeedAppender(FeedHeads heads, BatchWriter batches, FeedTables tables, TimeProvider clock)
{
    private const int GroupItemsMax = 5_000;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Queue<PendingAppend> _waiting = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource _growth = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FeedHead? _head;
    private string? _feed;
    private long _epoch;
    private int _attempt;

    /// <summary>Why the last append failed; null since one succeeded.</summary>
    public SyncError? Obstacle { get; private set; }

    /// <summary>Completes with the next append of this process. To be asked for before the feed is looked at.</summary>
    public Task Growth
    {
        get
        {
            lock (_gate)
            {
                return _growth.Task;
            }
        }
    }

    /// <summary>Takes over the feed for this process.</summary>
    public async Task<long> AcquireAsync(FeedSpec spec, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _head = await heads.AcquireAsync(spec, cancellationToken).ConfigureAwait(false);
            _feed = spec.Name;
            _epoch = _head.Epoch;
            _attempt = 0;
            return _epoch;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Appends; several callers' items become durable together.</summary>
    public async Task<FeedAppend> AppendAsync(PendingAppend append)
    {
        lock (_gate)
        {
            _waiting.Enqueue(append);
        }

        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            while (!append.Completion.IsCompleted)
            {
                await CommitAsync(TakeGroup()).ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }

        return await append.Completion.ConfigureAwait(false);
    }

    /// <summary>Changes the head in this writer's turn, from what it is at the table; null where another process writes
    /// the feed.</summary>
    public async Task<FeedHead?> ChangeAsync(
        Func<FeedHead, Task<FeedHead>> change, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_feed is null)
            {
                return null;
            }

            _head = null;
            var from = await heads.GetAsync(_feed, cancellationToken).ConfigureAwait(false);
            if (from.Epoch != _epoch)
            {
                return null;
            }

            var to = await change(from).ConfigureAwait(false);
            if (to != from)
            {
                await heads.ReplaceAsync(from, to, cancellationToken).ConfigureAwait(false);
            }

            return _head = to;
        }
        catch (ConditionalCheckFailedException)
        {
            return null;
        }
        finally
        {
            _turn.Release();
        }
    }

    private List<PendingAppend> TakeGroup()
    {
        var group = new List<PendingAppend>();
        var items = 0;
        lock (_gate)
        {
            while (items < GroupItemsMax && _waiting.TryDequeue(out var append))
            {
                if (append.Begin())
                {
                    group.Add(append);
                    items += append.Items.Count;
                }
            }
        }

        return group;
    }

    private async Task CommitAsync(List<PendingAppend> group)
    {
        try
        {
            var from = _head ??= await heads.GetAsync(_feed!, CancellationToken.None).ConfigureAwait(false);
            var staged = new StagedAppends(from, $"{_epoch}-{_attempt}", clock.NowMicros());
            foreach (var append in group)
            {
                Stage(staged, append, from);
            }

            if (staged.HasRecords)
            {
                await batches.WriteAsync(tables.Records, staged.Writes, CancellationToken.None).ConfigureAwait(false);
                await CoverAsync(from, staged.Head).ConfigureAwait(false);
            }

            Obstacle = null;
            group.ForEach(static append => append.Succeed());
            if (staged.HasRecords)
            {
                Grow();
            }
        }
        catch (Exception e)
        {
            // What the attempt has written or still writes carries its own stamp, and no head will name it.
            _head = null;
            _attempt++;
            Obstacle = e is SyncException { Error.Code: ErrorCode.SinkUnavailable } failure ? failure.Error : Obstacle;
            group.ForEach(append => append.Fail(e));
        }
    }

    private void Stage(StagedAppends staged, PendingAppend append, FeedHead head)
    {
        if (append.Epoch != _epoch || head.Epoch != _epoch)
        {
            append.Fail(FeedRefusals.Fenced(head.Name, append.Epoch, Math.Max(_epoch, head.Epoch)));
            return;
        }

        try
        {
            staged.Add(append);
        }
        catch (SyncException e)
        {
            append.Fail(e);
        }
    }

    /// <summary>Moves the head over what was written. A failed condition may be the echo of a request that had
    /// worked.</summary>
    private async Task CoverAsync(FeedHead from, FeedHead to)
    {
        try
        {
            await heads.ReplaceAsync(from, to, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ConditionalCheckFailedException e)
        {
            var actual = await heads.GetAsync(from.Name, CancellationToken.None).ConfigureAwait(false);
            if (actual.Epoch != _epoch)
            {
                throw FeedRefusals.Fenced(from.Name, _epoch, actual.Epoch);
            }

            if (actual.Last != to.Last || actual.StampOf(to.Last) != to.StampOf(to.Last))
            {
                throw new SyncException(ErrorCode.SinkUnavailable,
                    $"The head of feed {from.Name} changed while records were appended.",
                    "The append is tried again from where the feed is.", e);
            }

            to = actual;
        }

        _head = to;
    }

    private void Grow()
    {
        TaskCompletionSource growth;
        lock (_gate)
        {
            growth = _growth;
            _growth = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        growth.TrySetResult();
    }
}
