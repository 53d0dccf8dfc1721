using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>Changes of records that a live link holds: echo, agreement, or a merge and its writes.</summary>
internal sealed class PairFlow(SyncContext sync, LegState leg, Recorder recorder, KeyHandover keys)
{
    /// <summary>How often a record waits for a partner that cannot be found, before the pair is parted.</summary>
    internal const int PartnerWaitsMax = 10;

    private readonly PairWriter _writer = new(sync, leg, recorder, keys);
    private readonly ReadLag _lag = new(sync, leg.From);
    private readonly ReadLag _lagThere = new(sync, leg.To);

    public static SyncError Unmappable(string rule, string? problem) => new(
        ErrorCode.MappingFailed, $"The value of {rule} {problem ?? "has no form on the other side"}.", Path: rule,
        Suggestion: "Correct the value at its source, or the mapping rule, then replay this dead letter.");

    public async Task<Step> RunAsync(Turn turn, CancellationToken cancellationToken)
    {
        var link = turn.Link!;
        using var held = await sync.PairLocks.EnterAsync(link.Id, cancellationToken);
        if (!sync.Stamps.IsFresh(Side.A, link.A, turn.Since) || !sync.Stamps.IsFresh(Side.B, link.B, turn.Since))
        {
            turn.Since = sync.Stamps.Now;
            var fresh = (await sync.Store.FindLinksAsync(sync.Name, leg.From, [turn.Change.Key], cancellationToken))[0];
            if (fresh is null || fresh.State != LinkState.Live || fresh.Id != link.Id)
            {
                return Step.Again;
            }

            turn.Link = link = fresh;
        }

        var pair = new Pair(sync, link);
        var mine = Values.Read(sync.Rules, leg.From, turn.Change.After!.Root, turn.Change.Unchanged);
        return pair.HasMet
            ? await MergeAsync(turn, pair, mine, cancellationToken)
            : await MeetAsync(turn, pair, mine, cancellationToken);
    }

    private async Task<Step> MergeAsync(Turn turn, Pair pair, FieldValue[] mine, CancellationToken cancellationToken)
    {
        var ours = OriginMarks.IsOurs(turn.Change.Origin, sync.Store.Installation);
        if (ours && Overrun(turn, pair) is { } overrun)
        {
            return await _writer.RunAsync(turn, pair, overrun, _ => overrun, finishes: false, cancellationToken);
        }

        // What has waited may have been folded from several changes: only the record itself is sure to be the latest.
        var waited = turn.Tracker is null && !turn.Synthetic;
        if (!waited && NothingToDecide(mine, pair))
        {
            RememberTime(turn, pair);
            return await recorder.FinishAsync(
                turn, ours ? TimelineKind.Echo : TimelineKind.Agreed, new TimelineDetail());
        }

        if (turn.MayBeOld || InDoubt(leg.From, turn.Change, pair)
            || (turn.Change.Operation == ChangeOperation.Read && _lag.IsFresh(pair)))
        {
            var fetched =
                await sync.Connection(leg.From).FetchAsync(sync.Stream(leg.From), turn.Change.Key, cancellationToken);
            if (fetched is null)
            {
                return await GoneAsync(turn);
            }

            var read = Values.Read(sync.Rules, leg.From, fetched.Record.Root, []);
            if (_lag.Weigh(turn, pair, read, ours) is not { } weighed)
            {
                return await _lag.WaitAsync(turn, recorder);
            }

            mine = weighed;
            pair.Raise(leg.From, weighed == read ? fetched.AtMicros : turn.Change.SourceMicros);
            if (NothingToDecide(mine, pair))
            {
                RememberTime(turn, pair);
                return await recorder.FinishAsync(turn, ours ? TimelineKind.Echo : TimelineKind.Agreed,
                    new TimelineDetail { Message = "Older than what is known; read anew." });
            }
        }

        var state = new SideState(mine, turn.Change.SourceMicros);
        var other = await OtherAsync(pair, cancellationToken);
        pair.Raise(leg.From, turn.Change.SourceMicros);
        var result = sync.Merger.Merge(leg.From, state, other, pair.ShadowA, pair.ShadowB, pair.Marks);
        return await _writer.RunAsync(turn, pair, result,
            met => sync.Merger.Merge(leg.From, state, met, pair.ShadowA, pair.ShadowB, pair.Marks),
            finishes: true, cancellationToken);
    }

    private Task<Step> GoneAsync(Turn turn) => _lag.MayHide(turn)
        ? _lag.WaitAsync(turn, recorder)
        : recorder.FinishAsync(
            turn, TimelineKind.Agreed, new TimelineDetail { Message = "The record is gone." });

    private bool NothingToDecide(FieldValue[] mine, Pair pair) =>
        pair.Marks.Settled.Count == 0 && !sync.Merger.Differs(leg.From, mine, pair.Shadow(leg.From));

    /// <summary>
    /// An event that changes nothing still tells how young the side is: an older one that comes later must be in doubt. An ordered
    /// stream has no older ones.
    /// </summary>
    private void RememberTime(Turn turn, Pair pair)
    {
        pair.Raise(leg.From, turn.Change.SourceMicros);
        if (!sync.Connection(leg.From).Capabilities.OrderedStream && pair.HasRisen)
        {
            turn.Mutations.Add(new StateMutation.PutLink(pair.ToLink()));
        }
    }

    /// <summary>The other side's newer state where the opposite leg has it waiting; null for nothing.</summary>
    private async ValueTask<SideState?> OtherAsync(Pair pair, CancellationToken cancellationToken)
    {
        var waiting =
            (await sync.Store.FindPendingAsync(sync.Leg(leg.To), [pair.Link.Key(leg.To)], cancellationToken))[0];
        if (waiting is null)
        {
            return null;
        }

        var change = ChangeEnvelope.Parse(waiting.Key, waiting.Envelope);
        if (change.After is not { } after)
        {
            return null;
        }

        if (sync.Connection(leg.To).Capabilities.OrderedStream || !InDoubt(leg.To, change, pair))
        {
            return new SideState(Values.Read(sync.Rules, leg.To, after.Root, change.Unchanged), change.SourceMicros);
        }

        // It may wait because it is old.
        var fetched = await sync.Connection(leg.To).FetchAsync(sync.Stream(leg.To), waiting.Key, cancellationToken);
        return fetched is null || _lagThere.IsFresh(pair)
            ? null
            : new SideState(Values.Read(sync.Rules, leg.To, fetched.Record.Root, []), change.SourceMicros);
    }

    private async Task<Step> MeetAsync(Turn turn, Pair pair, FieldValue[] mine, CancellationToken cancellationToken)
    {
        if (pair.Knows(leg.From) && (turn.MayBeOld || InDoubt(leg.From, turn.Change, pair)))
        {
            var own = await sync.Connection(leg.From)
                .FetchAsync(sync.Stream(leg.From), turn.Change.Key, cancellationToken);
            if (own is null)
            {
                return await GoneAsync(turn);
            }

            mine = Values.Read(sync.Rules, leg.From, own.Record.Root, []);
            pair.Raise(leg.From, own.AtMicros);
        }

        FieldValue[] theirs;
        if (pair.Knows(leg.To))
        {
            theirs = pair.Shadow(leg.To);
        }
        else if (leg.IsFirstPass(turn))
        {
            pair.Learn(leg.From, mine);
            pair.Raise(leg.From, turn.Change.SourceMicros);
            turn.Mutations.Add(new StateMutation.PutLink(pair.ToLink()));
            return await recorder.FinishAsync(turn, TimelineKind.Agreed,
                new TimelineDetail { Message = "Waits to meet its partner." });
        }
        else
        {
            var partner = pair.Link.Key(leg.To);
            if (await sync.Connection(leg.To)
                .FetchAsync(sync.Stream(leg.To), partner, cancellationToken) is not { } fetched)
            {
                if (turn.Attempts < PartnerWaitsMax)
                {
                    // Deleted, or moved to another key: the other side's own change tells which.
                    turn.WaitingFor = "its partner, which is not where it was";
                    return await recorder.WaitAsync(turn);
                }

                await leg.Committer.CommitAsync([new StateMutation.RemoveLink(pair.Link.Id)]);
                sync.Stamps.Touch(leg.From, turn.Change.Key);
                return Step.Again;
            }

            theirs = Values.Read(sync.Rules, leg.To, fetched.Record.Root, []);
            pair.Raise(leg.To, fetched.AtMicros);
        }

        pair.Raise(leg.From, turn.Change.SourceMicros);
        return await _writer.RunAsync(turn, pair, Meet(mine, theirs), met => Meet(mine, met.Values), finishes: true,
            cancellationToken);
    }

    private MergeResult Meet(FieldValue[] mine, FieldValue[] theirs) =>
        sync.Merger.Meet(leg.From == Side.A ? mine : theirs, leg.From == Side.A ? theirs : mine);

    /// <summary>
    /// Whether the change may be older than what the link knows. An ordered stream tells by time alone when our own
    /// write came after it; an unordered one is in doubt within its clock's resolution.
    /// </summary>
    private bool InDoubt(Side side, Change change, Pair pair)
    {
        var known = pair.Version(side);
        var capabilities = sync.Connection(side).Capabilities;
        if (capabilities.OrderedStream)
        {
            return change.SourceMicros != 0 && change.SourceMicros < known;
        }

        var resolution = Math.Max(1, capabilities.ClockResolutionMicros);
        return change.SourceMicros / resolution <= known / resolution;
    }

    /// <summary>
    /// Looks at our own write coming back: where the value before it is not the one that we believed to be there, it
    /// fell on somebody's edit, and that edit is decided about now.
    /// </summary>
    private MergeResult? Overrun(Turn turn, Pair pair)
    {
        var index = pair.Marks.Writes.FindIndex(w => w.Target == leg.From && w.Mark == turn.Change.Origin);
        if (index < 0 || turn.Change.Before is not { } before)
        {
            return null;
        }

        var write = pair.Marks.Writes[index];
        var edits = new List<(int, FieldValue)>();
        for (var i = 0; i < sync.Rules.Count; i++)
        {
            var rule = sync.Rules[i];
            if (!write.Believed.TryGetValue(rule.Name, out var believed) || believed.State == FieldState.Unchanged)
            {
                continue;
            }

            var was = rule.Read(leg.From, before.Root, []);
            if (was.State != FieldState.Absent && !rule.Same(leg.From, was, believed)
                && !(Values.IsEmpty(was) && Values.IsEmpty(believed))
                && !rule.Same(leg.From, was, pair.Shadow(leg.From)[i]))
            {
                edits.Add((i, was));
            }
        }

        pair.Marks.Writes.RemoveAt(index);
        return edits.Count == 0
            ? null
            : sync.Merger.Overrun(
                leg.From, edits, turn.Change.SourceMicros, write.SourceMicros, pair.ShadowA, pair.ShadowB);
    }
}
