using System.Runtime.ExceptionServices;
using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Waiting;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>How a step of a turn ended.</summary>
internal enum Step
{
    /// <summary>Recorded: the turn is over.</summary>
    Finished,
    /// <summary>What is known has changed: look again and decide anew.</summary>
    Again,
}

/// <summary>
/// The one path of a change through a leg: what is known → unsettled writes first → linked, new, or deleted → written →
/// recorded. Called when it is the record's turn; two turns of one record never overlap.
/// </summary>
internal sealed class RecordFlow
{
    private const int RoundsMax = 20;

    private readonly SyncContext _sync;
    private readonly LegState _leg;
    private readonly Recorder _recorder;
    private readonly IntentFlow _intents;
    private readonly PairFlow _pairs;
    private readonly NewcomerFlow _newcomers;
    private readonly DeleteFlow _deletes;
    private readonly KeyHandover _keys;

    public RecordFlow(SyncContext sync, LegState leg)
    {
        _sync = sync;
        _leg = leg;
        _recorder = new Recorder(sync, leg);
        _keys = new KeyHandover(sync, leg);
        _intents = new IntentFlow(sync, leg, _recorder, _keys);
        _pairs = new PairFlow(sync, leg, _recorder, _keys);
        _newcomers = new NewcomerFlow(sync, leg, _recorder, _intents);
        _deletes = new DeleteFlow(sync, leg, _recorder);
    }

    /// <summary>Deals with one change and returns when its outcome is durable.</summary>
    /// <exception cref="SyncException">The leg cannot go on: brake, or a store that fails.</exception>
    public async Task RunAsync(Turn turn, CancellationToken cancellationToken)
    {
        try
        {
            await KnowAsync(turn, cancellationToken);
            if (turn.Tracker is null && turn.Pending is null && !turn.Synthetic)
            {
                return;
            }

            if (await _keys.HereAsync(turn, cancellationToken))
            {
                await ReloadAsync(turn, cancellationToken);
            }

            await FollowKeyChangeAsync(turn, cancellationToken);
            if ((turn.Tracker is not null || turn.Synthetic) && turn.Pending is { } pending)
            {
                await FoldAsync(turn, pending);
                return;
            }

            await DecideAsync(turn, cancellationToken);
        }
        catch (SyncException e)
            when (FailurePolicy.For(e.Error.Code) is FailureAction.Retry or FailureAction.DeadLetter)
        {
            await _recorder.FailAsync(turn, e.Error);
        }
        catch (LinkTakenException e)
        {
            await _recorder.FailAsync(turn, new SyncError(ErrorCode.MatchAmbiguous, e.Message,
                Suggestion: "Another record is linked under this key; part or delete one of the two, then replay."));
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or FormatException or InvalidOperationException
            or KeyNotFoundException or ArgumentException)
        {
            await _recorder.FailAsync(turn, new SyncError(
                ErrorCode.Internal, $"Deciding about the change failed: {e.GetType().Name}: {e.Message}",
                Suggestion: "Please report this with the record's timeline.", Detail: e.StackTrace));
        }
    }

    private async Task DecideAsync(Turn turn, CancellationToken cancellationToken)
    {
        for (var round = 0; round < RoundsMax; round++)
        {
            var known = turn.Link?.Id;
            LinkTakenException? taken = null;
            try
            {
                if (await StepAsync(turn, cancellationToken) == Step.Finished)
                {
                    return;
                }
            }
            catch (LinkTakenException e)
            {
                taken = e;
            }

            turn.Withdraw();
            await ReloadAsync(turn, cancellationToken);
            if (taken is not null && turn.Link?.Id == known)
            {
                // Not the opposite leg that was quicker with this very record: another one stays in the way.
                ExceptionDispatchInfo.Throw(taken);
            }
        }

        turn.WaitingFor = "the record to settle: it changes on both sides all the time";
        await _recorder.WaitAsync(turn);
    }

    private async Task<Step> StepAsync(Turn turn, CancellationToken cancellationToken)
    {
        if (_leg.Intents.TryGetValue(turn.Change.Key, out var intent))
        {
            return await _intents.SettleAsync(turn, intent, cancellationToken);
        }

        if (turn.Change.Operation == ChangeOperation.Delete)
        {
            return await _deletes.RunAsync(turn, cancellationToken);
        }

        if (turn.Change.After is not { } after)
        {
            return await _recorder.FinishAsync(turn, TimelineKind.Agreed,
                new TimelineDetail { Message = "The change has no image." });
        }

        if (_sync.Model.Of(_leg.From).When is { } when && !when.Holds(after.Root))
        {
            turn.Mutations.Add(new StateMutation.RemoveCandidate(_sync.Name, _leg.From, turn.Change.Key));
            return await _recorder.FinishAsync(
                turn, TimelineKind.Filtered, new TimelineDetail { Message = $"when: {when.Text}" });
        }

        return turn.Link switch
        {
            null => await _newcomers.RunAsync(turn, cancellationToken),
            { State: LinkState.Live } => await _pairs.RunAsync(turn, cancellationToken),
            { State: LinkState.Deleted } => await _deletes.MeetTombstoneAsync(turn, cancellationToken),
            _ => await _recorder.FinishAsync(turn, TimelineKind.Filtered,
                new TimelineDetail { Message = "The pair was parted." }),
        };
    }

    /// <summary>Reads what the page did not bring, or what may have changed since.</summary>
    private async ValueTask KnowAsync(Turn turn, CancellationToken cancellationToken)
    {
        if (turn.Tracker is null || !_sync.Stamps.IsFresh(_leg.From, turn.Change.Key, turn.Since))
        {
            await ReloadAsync(turn, cancellationToken);
            if (turn.Tracker is null && !turn.Synthetic && turn.Pending is { } pending)
            {
                turn.Change = ChangeEnvelope.Parse(pending.Key, pending.Envelope);
                turn.Envelope = pending.Envelope;
                turn.Offset = pending.Offset;
                turn.Approved = pending.Error?.Code == ErrorCode.ConflictManual;
            }
        }
    }

    private async ValueTask ReloadAsync(Turn turn, CancellationToken cancellationToken)
    {
        var key = turn.Change.Key;
        turn.Since = _sync.Stamps.Now;
        turn.Link = (await _sync.Store.FindLinksAsync(_sync.Name, _leg.From, [key], cancellationToken))[0];
        turn.Pending = _leg.MayHavePending
            ? (await _sync.Store.FindPendingAsync(_leg.Id, [key], cancellationToken))[0]
            : null;
        turn.DeadLetter = _leg.MayHaveDeadLetters
            ? (await _sync.Store.FindDeadLettersAsync(_leg.Id, [key], cancellationToken))[0]
            : null;
    }

    /// <summary>Moves everything that is kept under the previous key to the new one, before anything else is
    /// decided.</summary>
    private async Task FollowKeyChangeAsync(Turn turn, CancellationToken cancellationToken)
    {
        var previous = turn.Change.PreviousKey;
        if (previous.IsEmpty || previous == turn.Change.Key)
        {
            return;
        }

        if (turn.MayBeOld
            && await _sync.Connection(_leg.From).FetchAsync(_sync.Stream(_leg.From), previous, cancellationToken) is not null)
        {
            // Another record has taken the old key since; what is kept under it is about that one.
            return;
        }

        var moved = new List<StateMutation> { new StateMutation.RemoveCandidate(_sync.Name, _leg.From, previous) };
        var link = await FindLinkAsync(previous, cancellationToken);

        // Held so that the opposite leg, writing the pair back, does not give it its old key again.
        using var held = link is null ? null : await _sync.PairLocks.EnterAsync(link.Id, cancellationToken);
        if (link is not null && await FindLinkAsync(previous, cancellationToken) is { State: LinkState.Live } live)
        {
            if (turn.Link is { State: LinkState.Deleted } tombstone)
            {
                moved.Add(new StateMutation.RemoveLink(tombstone.Id));
            }

            moved.Add(new StateMutation.PutLink(
                _leg.From == Side.A ? live with { A = turn.Change.Key } : live with { B = turn.Change.Key }));
        }
        else if (turn.Link is null && turn.Change.After is { } after && _sync.Match.Of(_leg.From, after.Root) is { } match)
        {
            // The opposite leg may be about to create a partner for it.
            moved.Add(new StateMutation.PutCandidate(new Candidate(_sync.Name, _leg.From, turn.Change.Key, match)));
        }

        if (_leg.Intents.TryGetValue(previous, out var intent))
        {
            // What was announced under the old key is still to be settled, under the new one.
            var renamed = intent with { Key = turn.Change.Key };
            moved.Add(new StateMutation.RemoveIntent(_leg.Id, previous));
            moved.Add(new StateMutation.PutIntent(renamed));
            _leg.Rename(intent, renamed);
        }

        moved.Add(new StateMutation.RemovePending(_leg.Id, previous));
        moved.Add(new StateMutation.RemoveDeadLetter(_leg.Id, previous));
        await _leg.Committer.CommitAsync(moved);
        _sync.Stamps.Touch(_leg.From, previous);
        await ReloadAsync(turn, cancellationToken);
    }

    private async ValueTask<Link?> FindLinkAsync(RecordKey key, CancellationToken cancellationToken) =>
        (await _sync.Store.FindLinksAsync(_sync.Name, _leg.From, [key], cancellationToken))[0];

    /// <summary>A record that waits keeps its place: the newer state replaces what waits, and nothing
    /// overtakes.</summary>
    private Task FoldAsync(Turn turn, Pending pending)
    {
        var folded = Folding.Fold(pending, turn.Change, turn.Envelope, turn.Offset, _sync.Connection(_leg.From).Model);
        turn.Mutations.Add(new StateMutation.PutPending(folded));
        turn.Note(_sync, _leg, TimelineKind.Seen, _leg.From,
            new TimelineDetail { Message = "Joins the change that waits." });
        return _leg.CommitPendingAsync(() => _leg.Committer.CommitAsync(turn.Mutations, turn.Tracker, turn.Offset));
    }
}
