using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>
/// Carries one partition of a table into a customer's feed, page by page: transform, append, record. The feed drops what it has
/// already, so that the position is recorded once in a while; a page with dead letters is recorded at once.
/// </summary>
internal sealed class FeedReader(FeedLeg leg, string table, PartitionHold hold, Claim claim)
{
    private const int EntriesMax = 4096;
    private const int BytesMax = 4 << 20;
    private static readonly TimeSpan RecordEvery = TimeSpan.FromSeconds(1);

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30), hold.Partition + 7);
    private readonly Backoff _rereading = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(3), hold.Partition + 11);
    private readonly string _source = FeedLeg.SourceOf(leg.Customer, hold.Topic, hold.Partition);
    private readonly TableModel _table = leg.Customer.Tables[table];
    private readonly VersionMemory _versions = new(leg, table);
    private readonly Dictionary<RecordKey, DeadLetter?> _letters = [];
    private long _offset = claim.Offset;
    private long _recorded = claim.Offset;
    private long _recordedAt = leg.Clock.GetTimestamp();
    private SyncError? _fenced;

    private enum Step
    {
        Carried,
        AtEnd,
        Unreadable,
    }

    /// <summary>
    /// Runs until cancelled, or until the partition is called back, and records how far it is; or until it is lost, and records
    /// nothing more. Returns why it may not record where another owner has the partition, otherwise null.
    /// </summary>
    public async Task<SyncError?> RunAsync(CancellationToken cancellationToken)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, hold.CalledBack);
        using var transform = new FeedTransform();
        leg.View.Reach(hold.Topic, hold.Partition, _offset);
        try
        {
            // Told even where it stands still, so that the log knows whom it serves.
            await AdvanceAsync(cancellationToken);
            await CarryAllAsync(transform, reading.Token, cancellationToken);
        }
        catch (OperationCanceledException) when (reading.IsCancellationRequested)
        {
            await RecordAsync(CancellationToken.None);
        }

        return _fenced;
    }

    private async Task CarryAllAsync(FeedTransform transform, CancellationToken reading, CancellationToken ending)
    {
        for (var failed = 0; _fenced is null;)
        {
            switch (await CarryAsync(transform, reading, ending))
            {
                case Step.Carried:
                    failed = 0;
                    break;
                case Step.AtEnd:
                    failed = 0;
                    await RecordAsync(ending);
                    if (_fenced is null)
                    {
                        await leg.Log.WaitAsync(hold.Topic, hold.Partition, _offset, reading);
                    }

                    break;
                case Step.Unreadable:
                    await Task.Delay(_rereading.After(++failed), leg.Clock, reading);
                    break;
            }
        }
    }

    private async Task<Step> CarryAsync(FeedTransform transform, CancellationToken reading, CancellationToken ending)
    {
        using var working = await leg.View.Gate.EnterAsync(reading);
        using var page = await ReadAsync(reading);
        if (page is null || page.Count == 0)
        {
            return page is null ? Step.Unreadable : Step.AtEnd;
        }

        transform.Clear();
        var items = new List<FeedItem>(page.Count);
        var letters = new Dictionary<RecordKey, DeadLetter?>();
        var known = await leg.FindLettersAsync(page, reading);
        await _versions.BeginAsync(page, reading);
        for (var i = 0; i < page.Count; i++)
        {
            Take(page, i, transform, items, letters, known);
        }

        await AppendAsync(items, reading, ending);
        Keep(page.Offset(page.Count - 1) + 1, letters);
        leg.View.Reach(hold.Topic, hold.Partition, _offset);
        leg.View.Counters.Add(LegCounters.Outcome.Seen, page.Count);
        leg.View.Counters.Add(LegCounters.Outcome.Written, items.Count);
        if (_letters.Count > 0 || _versions.IsFull || leg.Clock.GetElapsedTime(_recordedAt) > RecordEvery)
        {
            await RecordAsync(ending);
        }

        return Step.Carried;
    }

    /// <summary>The next page; null while the log does not answer, which ends neither the leg nor its hold on the partition.</summary>
    private async ValueTask<LogPage?> ReadAsync(CancellationToken reading)
    {
        try
        {
            var page = await leg.Log.ReadAsync(hold.Topic, hold.Partition, _offset, EntriesMax, BytesMax, reading);
            leg.View.SetTrouble(hold.Topic, hold.Partition, null);
            return page;
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.StorageUnavailable)
        {
            leg.View.SetTrouble(hold.Topic, hold.Partition, e.Error);
            return null;
        }
    }

    private void Take(LogPage page, int i, FeedTransform transform, List<FeedItem> items,
        Dictionary<RecordKey, DeadLetter?> letters, IReadOnlySet<RecordKey> known)
    {
        var key = RecordKey.FromUtf8(page.Key(i).Span);
        var change = ChangeEnvelope.Parse(key, page.Value(i));
        if (_versions.IsSuperseded(key, change))
        {
            leg.View.Counters.Add(LegCounters.Outcome.Superseded);
            return;
        }

        var outcome = leg.Transform(
            transform, change, page.Key(i), page.Offset(i), _table.At(hold.Partition, page.Offset(i)));
        if (outcome.Item is { } item)
        {
            items.Add(item);
            if (letters.ContainsKey(key) || known.Contains(key))
            {
                // A younger state of the record has come through: the older one would undo it.
                letters[key] = null;
            }
        }
        else if (outcome.Error is { } error)
        {
            letters[key] = new DeadLetter(
                0, leg.Id, key, page.Value(i).ToArray(), page.Offset(i), 1, leg.Clock.NowMicros(), error);
            leg.View.Counters.Add(LegCounters.Outcome.DeadLettered);
        }
        else
        {
            leg.View.Counters.Add(LegCounters.Outcome.Filtered);
        }
    }

    /// <summary>The page is in the feed. What follows from it is recorded with the position behind it, also where that is the last thing
    /// that is done.</summary>
    private void Keep(long next, Dictionary<RecordKey, DeadLetter?> letters)
    {
        foreach (var (key, letter) in letters)
        {
            _letters[key] = letter;
        }

        _versions.Keep();
        _offset = next;
    }

    /// <summary>Appends, and waits for what is under way even when the partition is called back or lost: whoever reads it next in this
    /// process begins after it.</summary>
    private async Task AppendAsync(List<FeedItem> items, CancellationToken reading, CancellationToken ending)
    {
        for (var failed = 1; items.Count > 0; failed++)
        {
            try
            {
                await leg.Feeds.AppendAsync(leg.Customer.Feed.Name, leg.FeedEpoch, _source, items, ending);
                leg.View.SetTrouble(hold.Topic, hold.Partition, null);
                return;
            }
            catch (SyncException e) when (e.Error.Code is ErrorCode.SinkUnavailable or ErrorCode.SinkRateLimited
                or ErrorCode.SinkBusy or ErrorCode.StorageFull)
            {
                leg.View.Counters.Add(LegCounters.Outcome.Failed);
                leg.View.SetTrouble(hold.Topic, hold.Partition, e.Error);
                await Task.Delay(_backoff.After(failed, e.Error.RetryAfter), leg.Clock, reading);
            }
        }
    }

    private async Task RecordAsync(CancellationToken cancellationToken)
    {
        if (_fenced is not null || hold.Lost.IsCancellationRequested || _recorded == _offset)
        {
            return;
        }

        var mutations = new List<StateMutation>();
        foreach (var (key, letter) in _letters)
        {
            mutations.Add(letter is null ? new StateMutation.RemoveDeadLetter(leg.Id, key) : new StateMutation.PutDeadLetter(letter));
            if (letter is not null)
            {
                mutations.Add(leg.Line(key, letter, Envelope(letter)));
            }
        }

        _versions.AddTo(mutations);
        try
        {
            await leg.CommitAsync(
                claim, mutations, new LegPosition(leg.Id, hold.Topic, hold.Partition, _offset), cancellationToken);
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.StorageFenced)
        {
            _fenced = e.Error;
            return;
        }

        _letters.Clear();
        _versions.Recorded();
        (_recorded, _recordedAt) = (_offset, leg.Clock.GetTimestamp());
        await AdvanceAsync(cancellationToken);
    }

    private ValueTask AdvanceAsync(CancellationToken cancellationToken) => leg.Log.AdvanceConsumerAsync(
        leg.Id.ToString(), hold.Topic, hold.Partition, _recorded, cancellationToken);

    private static Change Envelope(DeadLetter letter) => ChangeEnvelope.Parse(letter.Key, letter.Envelope);
}
