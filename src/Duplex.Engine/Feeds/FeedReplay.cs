using Duplex.Engine.Config;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.Registry;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>
/// Sends a range of the log to a feed again, made with the form that is active now. Records that are sent again are followed by all
/// that is newer of them, up to where the customer's leg stands in the end, so that the last word on a record stays the last. What a
/// crash interrupts goes on where the feed's own mark of the source says.
/// </summary>
internal sealed class FeedReplay(FeedLeg leg)
{
    private const int EntriesMax = 1024;
    private const int BytesMax = 2 << 20;
    private const int KeysMax = 1_000_000;
    private const long NearEntries = 4096;
    private static readonly TimeSpan RecordEvery = TimeSpan.FromSeconds(1);

    private IReadOnlyDictionary<string, long> _marks = new Dictionary<string, long>();
    private StoredReplay _replay = null!;
    private long _recordedAt;

    /// <summary>Runs the customer's open replay, and every one that is asked for, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await leg.ReadReplayAsync(cancellationToken) is { IsOpen: true } open)
            {
                _replay = open;
                await CarryAsync(cancellationToken);
            }

            await leg.View.ReplayAsked.WaitAsync(Timeout.InfiniteTimeSpan, leg.Clock, cancellationToken);
        }
    }

    private async Task CarryAsync(CancellationToken cancellationToken)
    {
        try
        {
            _marks = await leg.Feeds.ReadSourcesAsync(leg.Customer.Feed.Name, "", cancellationToken);
            for (var i = 0; i < _replay.Ranges.Count; i++)
            {
                if (leg.Customer.Tables.TryGetValue(_replay.Ranges[i].Table, out var table))
                {
                    await CarryAsync(i, table, _marks.GetValueOrDefault(SourceOf(_replay.Ranges[i]), -1), cancellationToken);
                }
            }

            await EndAsync(_replay.State == StoredReplay.Cancelling ? StoredReplay.Cancelled : StoredReplay.Done, null, cancellationToken);
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.StorageUnreadable)
        {
            await EndAsync(StoredReplay.Failed, e.Error.Message, cancellationToken);
        }
    }

    private async Task CarryAsync(int index, TableModel table, long mark, CancellationToken cancellationToken)
    {
        var range = _replay.Ranges[index];
        using var transform = new FeedTransform();
        var pass = new Pass(table, mark, transform,
            _replay.Key is { } key ? RecordKey.FromUtf8(System.Text.Encoding.UTF8.GetBytes(key)) : null);
        var offset = range.From;
        while (true)
        {
            range = await TakeCancelAsync(index, cancellationToken);
            var live = EndOf(range);
            if (offset + NearEntries >= live)
            {
                break;
            }

            using (await leg.View.Gate.EnterAsync(cancellationToken))
            {
                offset = await CarryPageAsync(range, offset, live, pass, cancellationToken);
            }

            await NoteAsync(index, offset, cancellationToken);
        }

        // A paused customer's replay waits as its leg does.
        (await leg.View.Gate.EnterAsync(cancellationToken)).Dispose();
        // Between pages the leg stands still, so that nothing newer can come in between the last records and the end.
        using (await leg.View.Gate.HoldAsync(cancellationToken))
        {
            var live = EndOf(range);
            while (offset < live)
            {
                offset = await CarryPageAsync(range, offset, live, pass, cancellationToken);
            }
        }

        Reach(index, range.To);
    }

    /// <summary>The first offset that the feed has not been given. After a crash the leg stands before what its feed has.</summary>
    private long EndOf(StoredReplayRange range) => Math.Max(
        Math.Max(range.To, leg.View.Positions.GetValueOrDefault((range.Topic, range.Partition))),
        _marks.GetValueOrDefault(FeedLeg.SourceOf(leg.Customer, range.Topic, range.Partition), -1) + 1);

    private async Task<long> CarryPageAsync(
        StoredReplayRange range, long offset, long before, Pass pass, CancellationToken cancellationToken)
    {
        using var page = await leg.Log.ReadAsync(range.Topic, range.Partition, offset, EntriesMax, BytesMax, cancellationToken);
        if (page.Count == 0)
        {
            return before;
        }

        pass.Transform.Clear();
        var items = new List<FeedItem>();
        var letters = new Letters(await leg.FindLettersAsync(page, range.Table, cancellationToken));
        for (var i = 0; i < page.Count && page.Offset(i) < before; i++)
        {
            Take(page, i, range, pass, items, letters);
            offset = page.Offset(i) + 1;
        }

        // Before the feed has the page: what it has is not looked at again after a crash.
        await ParkAsync(range.Table, letters, cancellationToken);
        if (items.Count > 0)
        {
            var done = await leg.Feeds.AppendAsync(
                leg.Customer.Feed.Name, leg.FeedEpoch, SourceOf(range), items, cancellationToken);
            _replay = _replay with { Sent = _replay.Sent + items.Count - done.Dropped };
        }

        return Math.Max(offset, page.Offset(0) + 1);
    }

    private void Take(LogPage page, int i, StoredReplayRange range, Pass pass, List<FeedItem> items, Letters letters)
    {
        var key = RecordKey.FromUtf8(page.Key(i).Span);
        var isIn = page.Offset(i) < range.To && (pass.Key is null || pass.Key == key);
        if (!isIn && !pass.HasSent(key))
        {
            return;
        }

        var change = ChangeEnvelope.Parse(key, page.Value(i));
        if (!pass.Takes(key, change) || page.Offset(i) <= pass.Mark)
        {
            return;
        }

        var outcome = leg.Transform(pass.Transform, change, page.Key(i), page.Offset(i), pass.Table);
        if (outcome.Item is { } item)
        {
            items.Add(item);
            letters.Remove(key);
        }
        else if (outcome.Error is { } error)
        {
            letters.Put(new DeadLetter(
                0, leg.Id, key, page.Value(i).ToArray(), page.Offset(i), 1, leg.Clock.NowMicros(), error)
            {
                Stream = range.Table,
            }, change);
            leg.View.Counters.Add(LegCounters.Outcome.DeadLettered);
            _replay = _replay with { Refused = _replay.Refused + 1, Error = _replay.Error ?? error.Message };
        }
    }

    private async ValueTask ParkAsync(string table, Letters letters, CancellationToken cancellationToken)
    {
        if (letters.Changed.Count > 0)
        {
            await leg.CommitAsync([.. letters.Changed.SelectMany(changed => changed.Value is { } put
                ? (IEnumerable<StateMutation>)
                    [new StateMutation.PutDeadLetter(put.Letter), leg.Line(changed.Key, put.Letter, put.Change)]
                : [new StateMutation.RemoveDeadLetter(leg.Id, changed.Key, table)])], cancellationToken);
        }
    }

    /// <summary>A cancelled replay takes up nothing more; what it has sent is still followed by what is newer.</summary>
    private async ValueTask<StoredReplayRange> TakeCancelAsync(int index, CancellationToken cancellationToken)
    {
        if (_replay.State == StoredReplay.Running && leg.View.ReplayCancelled == _replay.Id)
        {
            _replay = _replay with
            {
                State = StoredReplay.Cancelling,
                Ranges = [.. _replay.Ranges.Select(static r => r with { To = Math.Min(r.To, r.Reached) })],
            };
            await StoreAsync(cancellationToken);
        }

        return _replay.Ranges[index];
    }

    private async Task NoteAsync(int index, long offset, CancellationToken cancellationToken)
    {
        Reach(index, offset);
        if (leg.Clock.GetElapsedTime(_recordedAt) > RecordEvery)
        {
            await StoreAsync(cancellationToken);
        }
    }

    private void Reach(int index, long offset)
    {
        var ranges = _replay.Ranges.ToArray();
        ranges[index] = ranges[index] with { Reached = Math.Max(ranges[index].Reached, Math.Min(offset, ranges[index].To)) };
        _replay = _replay with { Ranges = ranges };
    }

    private Task EndAsync(string state, string? error, CancellationToken cancellationToken)
    {
        _replay = _replay with { State = state, Error = error ?? _replay.Error };
        return StoreAsync(cancellationToken);
    }

    private async Task StoreAsync(CancellationToken cancellationToken)
    {
        await leg.CommitAsync([new StateMutation.PutValue(
            StoredNames.Replay(leg.Customer.Name), StoredNames.Write(_replay))], cancellationToken);
        _recordedAt = leg.Clock.GetTimestamp();
    }

    private string SourceOf(StoredReplayRange range) => $"replay/{_replay.Id}/{range.Topic}/{range.Partition}";

    /// <summary>What a page does to the dead letters of its records; a younger state that comes through ends an older one's.</summary>
    private sealed class Letters(IReadOnlySet<RecordKey> known)
    {
        public Dictionary<RecordKey, (DeadLetter Letter, Change Change)?> Changed { get; } = [];

        public void Put(DeadLetter letter, Change change) => Changed[letter.Key] = (letter, change);

        public void Remove(RecordKey key)
        {
            if (known.Contains(key) || Changed.ContainsKey(key))
            {
                Changed[key] = null;
            }
        }
    }

    /// <summary>The way through one partition: what has been sent of it, by key, with its highest version.</summary>
    private sealed class Pass(TableModel table, long mark, FeedTransform transform, RecordKey? key)
    {
        private readonly Dictionary<RecordKey, RecordVersion> _sent = [];
        private bool _sentTooMany;

        public TableModel Table => table;

        public long Mark => mark;

        public FeedTransform Transform => transform;

        public RecordKey? Key => key;

        public bool HasSent(RecordKey record) => _sentTooMany || _sent.ContainsKey(record);

        /// <summary>
        /// Notes that a change of the record is sent; false for one that is older than what was sent of it before. More keys than fit mean
        /// that all that follows is sent, which is more than is needed and never less.
        /// </summary>
        public bool Takes(RecordKey record, Change change)
        {
            if (_sentTooMany)
            {
                return true;
            }

            var version = RecordVersion.Of(change);
            if (version.IsBefore(_sent.GetValueOrDefault(record)))
            {
                return false;
            }

            if (change.Version is not null || !_sent.ContainsKey(record))
            {
                _sent[record] = version;
            }

            if (_sent.Count > KeysMax)
            {
                _sentTooMany = true;
                _sent.Clear();
            }

            return true;
        }
    }
}
