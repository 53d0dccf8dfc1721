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
    private static readonly TimeSpan RecordEvery = TimeSpan.FromSeconds(1);

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30), hold.Partition + 7);
    private readonly Backoff _rereading = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(3), hold.Partition + 11);
    private readonly string _source = FeedLeg.SourceOf(leg.Customer, hold.Topic, hold.Partition);
    private readonly TableModel _table = leg.Customer.Tables[table];
    private readonly VersionMemory _versions = new(leg, table);
    private readonly Dictionary<RecordKey, DeadLetter?> _letters = [];
    private bool _isBehind = true;
    private TimeSpan? _asked;
    private long _offset = claim.Offset;
    private long _recorded = claim.Offset;
    private long _recordedAt = leg.Clock.GetTimestamp();
    private SyncError? _fenced;

    private enum Step
    {
        Carried,
        AtEnd,
        Unreadable,
        Refused,
    }

    /// <summary>
    /// Runs until cancelled, or until the partition is called back, and records how far it is; or until it is lost, and records
    /// nothing more. Returns why it may not record where another owner has the partition, otherwise null.
    /// </summary>
    public async Task<SyncError?> RunAsync(CancellationToken cancellationToken)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, hold.CalledBack);
        leg.View.Reach(hold.Topic, hold.Partition, _offset);
        try
        {
            // Told even where it stands still, so that the log knows whom it serves.
            await AdvanceAsync(cancellationToken);
            await CarryAllAsync(reading.Token, cancellationToken);
        }
        catch (OperationCanceledException) when (reading.IsCancellationRequested)
        {
            await RecordAsync(CancellationToken.None);
        }

        return _fenced;
    }

    private async Task CarryAllAsync(CancellationToken reading, CancellationToken ending)
    {
        for (var failed = 0; _fenced is null;)
        {
            switch (await CarryAsync(reading, ending))
            {
                case Step.Carried:
                    failed = 0;
                    break;
                case Step.AtEnd:
                    failed = 0;
                    await RestAtEndAsync(reading, ending);
                    break;
                case Step.Unreadable:
                    await Task.Delay(_rereading.After(++failed), leg.Clock, reading);
                    break;
                case Step.Refused:
                    await Task.Delay(_backoff.After(++failed, _asked), leg.Clock, reading);
                    break;
            }
        }
    }

    /// <summary>Waits for more. Where that comes soon, the position is recorded once for all of it.</summary>
    private async Task RestAtEndAsync(CancellationToken reading, CancellationToken ending)
    {
        var rest = RecordEvery - leg.Clock.GetElapsedTime(_recordedAt);
        if (_recorded != _offset && rest > TimeSpan.Zero)
        {
            using var soon = new CancellationTokenSource(rest, leg.Clock);
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(reading, soon.Token);
            try
            {
                await leg.Log.WaitAsync(hold.Topic, hold.Partition, _offset, waiting.Token);
                return;
            }
            catch (OperationCanceledException) when (!reading.IsCancellationRequested)
            {
                // Nothing more came.
            }
        }

        await RecordAsync(ending);
        if (_fenced is null)
        {
            await leg.Log.WaitAsync(hold.Topic, hold.Partition, _offset, reading);
        }
    }

    private async Task<Step> CarryAsync(CancellationToken reading, CancellationToken ending)
    {
        using var working = await leg.View.Gate.EnterAsync(reading);
        using var place = await leg.Room.EnterAsync(_isBehind, reading);
        using var page = await ReadAsync(place.Size, reading);
        if (page is null)
        {
            return Step.Unreadable;
        }

        if (page.Count == 0)
        {
            _isBehind = false;
            leg.View.SetTrouble(hold.Topic, hold.Partition, null);
            return Step.AtEnd;
        }

        var work = new Work(page, await leg.FindLettersAsync(page, table, reading));
        await _versions.BeginAsync(page, reading);
        for (var i = 0; i < page.Count; i++)
        {
            Take(work, i, place.Transform);
        }

        if (!await AppendAsync(work.Items, ending))
        {
            return Step.Refused;
        }

        Keep(page.Offset(page.Count - 1) + 1, work);
        _isBehind = place.IsFilledBy(page);
        if (_letters.Count > 0 || _versions.IsFull || leg.Clock.GetElapsedTime(_recordedAt) > RecordEvery)
        {
            await RecordAsync(ending);
        }

        return Step.Carried;
    }

    /// <summary>The next page; null while the log does not answer, which ends neither the leg nor its hold on the partition.</summary>
    private async ValueTask<LogPage?> ReadAsync(PageSize size, CancellationToken reading)
    {
        try
        {
            return await leg.Log.ReadAsync(hold.Topic, hold.Partition, _offset, size.EntriesMax, size.BytesMax, reading);
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.StorageUnavailable)
        {
            leg.View.SetTrouble(hold.Topic, hold.Partition, e.Error);
            return null;
        }
    }

    private void Take(Work work, int i, FeedTransform transform)
    {
        var page = work.Page;
        var key = RecordKey.FromUtf8(page.Key(i).Span);
        var change = ChangeEnvelope.Parse(key, page.Value(i));
        if (_versions.IsSuperseded(key, change))
        {
            work.Superseded++;
            return;
        }

        var outcome = leg.Transform(
            transform, change, page.Key(i), page.Offset(i), _table.At(hold.Partition, page.Offset(i)));
        if (outcome.Item is { } item)
        {
            work.Items.Add(item);
            if (work.Letters.ContainsKey(key) || work.Known.Contains(key))
            {
                // A younger state of the record has come through: the older one would undo it.
                work.Letters[key] = null;
            }
        }
        else if (outcome.Error is { } error)
        {
            work.Letters[key] = new DeadLetter(
                0, leg.Id, key, page.Value(i).ToArray(), page.Offset(i), 1, leg.Clock.NowMicros(), error)
            {
                Stream = table,
            };
            work.Parked++;
        }
        else
        {
            work.Filtered++;
        }
    }

    /// <summary>The page is in the feed. What follows from it is recorded with the position behind it, also where that is the last thing
    /// that is done.</summary>
    private void Keep(long next, Work work)
    {
        foreach (var (key, letter) in work.Letters)
        {
            _letters[key] = letter;
        }

        _versions.Keep();
        _offset = next;
        leg.View.SetTrouble(hold.Topic, hold.Partition, null);
        leg.View.Reach(hold.Topic, hold.Partition, _offset);
        leg.View.Counters.Add(LegCounters.Outcome.Seen, work.Page.Count);
        leg.View.Counters.Add(LegCounters.Outcome.Written, work.Items.Count);
        leg.View.Counters.Add(LegCounters.Outcome.Superseded, work.Superseded);
        leg.View.Counters.Add(LegCounters.Outcome.DeadLettered, work.Parked);
        leg.View.Counters.Add(LegCounters.Outcome.Filtered, work.Filtered);
    }

    /// <summary>
    /// Appends; false while the feed does not take it, and the page is read again then: it holds no room meanwhile. What is under way
    /// is waited for even when the partition is called back or lost: whoever reads it next in this process begins after it.
    /// </summary>
    private async Task<bool> AppendAsync(List<FeedItem> items, CancellationToken ending)
    {
        if (items.Count == 0)
        {
            return true;
        }

        try
        {
            await leg.Feeds.AppendAsync(leg.Customer.Feed.Name, leg.FeedEpoch, _source, items, ending);
            return true;
        }
        catch (SyncException e) when (e.Error.Code is ErrorCode.SinkUnavailable or ErrorCode.SinkRateLimited
            or ErrorCode.SinkBusy or ErrorCode.StorageFull)
        {
            leg.View.Counters.Add(LegCounters.Outcome.Failed);
            leg.View.SetTrouble(hold.Topic, hold.Partition, e.Error);
            _asked = e.Error.RetryAfter;
            return false;
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
            mutations.Add(letter is null
                ? new StateMutation.RemoveDeadLetter(leg.Id, key, table) : new StateMutation.PutDeadLetter(letter));
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

    /// <summary>What becomes of one page.</summary>
    private sealed class Work(LogPage page, IReadOnlySet<RecordKey> known)
    {
        public LogPage Page => page;

        /// <summary>The records that have a dead letter.</summary>
        public IReadOnlySet<RecordKey> Known => known;

        public List<FeedItem> Items { get; } = new(page.Count);

        /// <summary>New dead letters; null for those that are overtaken.</summary>
        public Dictionary<RecordKey, DeadLetter?> Letters { get; } = [];

        public int Superseded { get; set; }

        public int Parked { get; set; }

        public int Filtered { get; set; }
    }
}
