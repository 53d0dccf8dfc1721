using Duplex.Engine.Links;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>Reads one partition of a leg's topic in order, looks up a page's records together, and starts their
/// turns.</summary>
internal sealed class LegReader(SyncContext sync, LegState leg, TurnRunner turns, IChangeLog log, OffsetTracker tracker)
{
    private const int EntriesMax = 128;
    private const int BytesMax = 1 << 20;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var offset = tracker.Position;
        while (true)
        {
            await turns.WaitUntilRunningAsync(cancellationToken);
            var read = await ReadPageAsync(offset, cancellationToken);
            if (read.Count == 0)
            {
                await log.WaitAsync(tracker.Topic, tracker.Partition, offset, cancellationToken);
                continue;
            }

            await LookUpAsync(read, cancellationToken);
            foreach (var turn in read)
            {
                await turns.WaitUntilRunningAsync(cancellationToken);
                await StartAsync(turn, cancellationToken);
                offset = turn.Offset + 1;
            }
        }
    }

    private async Task<List<Turn>> ReadPageAsync(long offset, CancellationToken cancellationToken)
    {
        using var page =
            await log.ReadAsync(tracker.Topic, tracker.Partition, offset, EntriesMax, BytesMax, cancellationToken);
        var read = new List<Turn>(page.Count);
        for (var i = 0; i < page.Count; i++)
        {
            // The page's buffer goes back to its pool while turns still run, so that each keeps its own bytes.
            ReadOnlyMemory<byte> envelope = page.Value(i).ToArray();
            read.Add(new Turn
            {
                Change = ChangeEnvelope.Parse(RecordKey.FromUtf8(page.Key(i).Span), envelope),
                Envelope = envelope,
                Offset = page.Offset(i),
                AppendedMicros = page.AppendedMicros(i),
                Tracker = tracker,
                MayBeOld = page.Offset(i) < tracker.OldBelow,
                Partition = tracker.Partition,
            });
        }

        return read;
    }

    private async Task LookUpAsync(List<Turn> read, CancellationToken cancellationToken)
    {
        var since = sync.Stamps.Now;
        var keys = read.Select(static t => t.Change.Key).Where(static k => !k.IsEmpty).Distinct().ToArray();
        var links = await sync.Store.FindLinksAsync(sync.Name, leg.From, keys, cancellationToken);
        var pending = leg.MayHavePending ? await sync.Store.FindPendingAsync(leg.Id, keys, cancellationToken) : null;
        var letters = leg.MayHaveDeadLetters
            ? await sync.Store.FindDeadLettersAsync(leg.Id, keys, cancellationToken) : null;
        var index = new Dictionary<RecordKey, int>(keys.Length);
        for (var i = 0; i < keys.Length; i++)
        {
            index[keys[i]] = i;
        }

        foreach (var turn in read)
        {
            turn.Since = since;
            if (index.TryGetValue(turn.Change.Key, out var i))
            {
                turn.Link = links[i];
                turn.Pending = pending?[i];
                turn.DeadLetter = letters?[i];
            }
        }
    }

    private async Task StartAsync(Turn turn, CancellationToken cancellationToken)
    {
        tracker.Begin(turn.Offset, turn.AppendedMicros);
        if (turn.Change.Operation == ChangeOperation.Truncate)
        {
            await TruncateAsync(turn, cancellationToken);
            return;
        }

        await turns.StartAsync(turn, null, cancellationToken);
    }

    /// <summary>Every record of the stream went at once: each live link's record is deleted in turn, then the entry is
    /// done.</summary>
    private async Task TruncateAsync(Turn truncate, CancellationToken cancellationToken)
    {
        await turns.DrainAsync(cancellationToken);
        long after = 0;
        while (await sync.Store.ListLinksAsync(sync.Name, after, EntriesMax, cancellationToken) is { Count: > 0 } links)
        {
            foreach (var link in links.Where(l => l.State == LinkState.Live && !l.Key(leg.From).IsEmpty && !FormerKeys.Is(l.Key(leg.From))))
            {
                await turns.StartAsync(DeleteOf(truncate, link), null, cancellationToken);
            }

            after = links[^1].Id;
        }

        await turns.DrainAsync(cancellationToken);
        if (turns.Fault.IsCompleted)
        {
            return;
        }

        await leg.Committer.CommitAsync([], tracker, truncate.Offset);
    }

    private Turn DeleteOf(Turn truncate, Link link)
    {
        var change = new Change
        {
            Operation = ChangeOperation.Delete,
            Stream = truncate.Change.Stream,
            Key = link.Key(leg.From),
            SourceMicros = truncate.Change.SourceMicros,
            Position = truncate.Change.Position,
            Origin = truncate.Change.Origin,
        };
        return new Turn
        {
            Change = change,
            Envelope = Envelopes.Write(change, sync.Connection(leg.From).Model),
            Offset = truncate.Offset,
            Synthetic = true,
            Link = link,
        };
    }
}
