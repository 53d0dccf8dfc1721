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
internal sealed class FeedReader(FeedLeg leg, string table, string topic, int partition, long offset)
{
    private const int EntriesMax = 4096;
    private const int BytesMax = 4 << 20;
    private static readonly TimeSpan RecordEvery = TimeSpan.FromSeconds(1);

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30), partition + 7);
    private readonly string _source = FeedLeg.SourceOf(leg.Customer, topic, partition);
    private readonly TableModel _table = leg.Customer.Tables[table];
    private readonly VersionMemory _versions = new(leg, table);
    private readonly Dictionary<RecordKey, DeadLetter?> _letters = [];
    private long _offset = offset;
    private long _recorded = offset;
    private long _recordedAt = leg.Clock.GetTimestamp();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var transform = new FeedTransform();
        leg.View.Positions[(topic, partition)] = _offset;
        try
        {
            while (true)
            {
                if (!await CarryAsync(transform, cancellationToken))
                {
                    await RecordAsync(cancellationToken);
                    await leg.Log.WaitAsync(topic, partition, _offset, cancellationToken);
                }
            }
        }
        finally
        {
            if (cancellationToken.IsCancellationRequested)
            {
                await RecordAsync(CancellationToken.None);
            }
        }
    }

    /// <summary>Carries a page; false at the end of the partition.</summary>
    private async Task<bool> CarryAsync(FeedTransform transform, CancellationToken cancellationToken)
    {
        using var working = await leg.View.Gate.EnterAsync(cancellationToken);
        using var page = await leg.Log.ReadAsync(topic, partition, _offset, EntriesMax, BytesMax, cancellationToken);
        if (page.Count == 0)
        {
            return false;
        }

        transform.Clear();
        var items = new List<FeedItem>(page.Count);
        var letters = new Dictionary<RecordKey, DeadLetter?>();
        var known = await leg.FindLettersAsync(page, cancellationToken);
        await _versions.BeginAsync(page, cancellationToken);
        for (var i = 0; i < page.Count; i++)
        {
            Take(page, i, transform, items, letters, known);
        }

        await AppendAsync(items, cancellationToken);
        Keep(page.Offset(page.Count - 1) + 1, letters);
        leg.View.Positions[(topic, partition)] = _offset;
        leg.View.Counters.Add(LegCounters.Outcome.Seen, page.Count);
        leg.View.Counters.Add(LegCounters.Outcome.Written, items.Count);
        if (_letters.Count > 0 || _versions.IsFull || leg.Clock.GetElapsedTime(_recordedAt) > RecordEvery)
        {
            await RecordAsync(cancellationToken);
        }

        return true;
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
            transform, change, page.Key(i), page.Offset(i), _table.At(partition, page.Offset(i)));
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

    private async Task AppendAsync(List<FeedItem> items, CancellationToken cancellationToken)
    {
        for (var failed = 1; items.Count > 0; failed++)
        {
            try
            {
                await leg.Feeds.AppendAsync(leg.Customer.Feed.Name, leg.FeedEpoch, _source, items, cancellationToken);
                leg.View.Set(RunState.Running);
                return;
            }
            catch (SyncException e) when (e.Error.Code is ErrorCode.SinkUnavailable or ErrorCode.SinkRateLimited
                or ErrorCode.SinkBusy or ErrorCode.StorageFull)
            {
                leg.View.Counters.Add(LegCounters.Outcome.Failed);
                leg.View.Set(RunState.Retrying, e.Error);
                await Task.Delay(_backoff.After(failed, e.Error.RetryAfter), leg.Clock, cancellationToken);
            }
        }
    }

    private async Task RecordAsync(CancellationToken cancellationToken)
    {
        if (_recorded == _offset)
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
        await leg.CommitAsync(mutations, [new LegPosition(leg.Id, topic, partition, _offset)], cancellationToken);
        _letters.Clear();
        _versions.Recorded();
        (_recorded, _recordedAt) = (_offset, leg.Clock.GetTimestamp());
        await leg.Log.AdvanceConsumerAsync(leg.Id.ToString(), topic, partition, _offset, cancellationToken);
    }

    private static Change Envelope(DeadLetter letter) => ChangeEnvelope.Parse(letter.Key, letter.Envelope);
}
