using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>Ends turns: records what was done, makes a record wait, or parks it.</summary>
internal sealed class Recorder(SyncContext sync, LegState leg)
{
    private static readonly TimeSpan WaitFirst = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan WaitCap = TimeSpan.FromSeconds(5);

    /// <summary>Records the turn's mutations with a last timeline line.</summary>
    public async Task<Step> FinishAsync(Turn turn, TimelineKind kind, TimelineDetail detail, Side? side = null)
    {
        turn.Note(sync, leg, kind, side ?? leg.From, detail);
        await EndAsync(turn);
        leg.Counters.Add(kind switch
        {
            TimelineKind.Echo => LegCounters.Outcome.Echo,
            TimelineKind.Filtered => LegCounters.Outcome.Filtered,
            TimelineKind.Written => LegCounters.Outcome.Written,
            _ => LegCounters.Outcome.Agreed,
        });
        return Step.Finished;
    }

    /// <summary>Records the turn's mutations; what happened is told by them.</summary>
    public async Task<Step> EndAsync(Turn turn)
    {
        if (turn.Pending is not null)
        {
            turn.Mutations.Add(new StateMutation.RemovePending(leg.Id, turn.Change.Key));
        }

        if (turn.DeadLetter is not null)
        {
            turn.Mutations.Add(new StateMutation.RemoveDeadLetter(leg.Id, turn.Change.Key));
        }

        await leg.Committer.CommitAsync(turn.Mutations, turn.Tracker, turn.Offset);
        return Step.Finished;
    }

    /// <summary>Ends the turn after a failure, by the failure's policy.</summary>
    /// <exception cref="SyncException">The failure concerns the leg, not the record.</exception>
    public async Task<Step> FailAsync(Turn turn, SyncError error)
    {
        turn.Withdraw();
        leg.Counters.Add(LegCounters.Outcome.Failed);
        var attempts = turn.Attempts + 1;
        var action = FailurePolicy.For(error.Code);
        var limit = FailurePolicy.AttemptsMax(error.Code);
        if (action == FailureAction.Retry && limit > 0 && attempts >= limit)
        {
            action = FailureAction.DeadLetter;
        }

        switch (action)
        {
            case FailureAction.Retry or FailureAction.BlockConnection:
                await PendAsync(turn, error, attempts, FailurePolicy.WaitsForOthers(error.Code)
                    ? WaitAfter(attempts)
                    : sync.Backoff.After(attempts, error.RetryAfter));
                break;
            case FailureAction.DeadLetter:
                await ParkAsync(turn, error, attempts);
                break;
            default:
                throw new SyncException(error);
        }

        return Step.Finished;
    }

    /// <summary>Makes the record wait a moment for something that comes by itself
    /// (<see cref="Turn.WaitingFor"/>).</summary>
    public async Task<Step> WaitAsync(Turn turn)
    {
        turn.Withdraw();
        var attempts = turn.Attempts + 1;
        var wait = WaitAfter(attempts);
        await PendAsync(turn, null, attempts, wait);
        return Step.Finished;
    }

    /// <summary>
    /// Commits that a record of the other side got a partner. What was parked there for want of one is decided about anew.
    /// </summary>
    public async Task CommitPartnerAsync(Turn turn, RecordKey partner, Func<Task> commit)
    {
        var other = sync.Leg(leg.To);
        var letter = sync.Legs[(int)leg.To] is { MayHaveDeadLetters: false }
            ? null
            : (await sync.Store.FindDeadLettersAsync(other, [partner], CancellationToken.None))[0];
        if (letter is null)
        {
            await commit();
            return;
        }

        var now = sync.NowMicros();
        turn.Mutations.Add(new StateMutation.RemoveDeadLetter(other, partner));
        turn.Mutations.Add(new StateMutation.PutPending(new Pending(
            other, partner, letter.Envelope, letter.Offset, now, 0, letter.AtMicros, null)));
        await sync.CommitToOtherLegAsync(leg.To, commit);
    }

    /// <summary>A record that waits for the other side's news looks again soon: the news is on its way.</summary>
    private static TimeSpan WaitAfter(int attempts) => TimeSpan.FromMilliseconds(Math.Min(
        WaitCap.TotalMilliseconds, WaitFirst.TotalMilliseconds * Math.Pow(2, Math.Min(attempts - 1, 10))));

    private Task PendAsync(Turn turn, SyncError? error, int attempts, TimeSpan wait)
    {
        var now = sync.NowMicros();
        if (turn.Unsettled is { } intent)
        {
            turn.Mutations.Add(new StateMutation.PutIntent(intent));
            leg.Intents[turn.Change.Key] = intent;
        }

        // A person's approval outlives failed attempts: it rides on the pending record.
        var kept = turn.Approved ? turn.Pending?.Error : error;
        turn.Mutations.Add(new StateMutation.PutPending(new Pending(
            leg.Id, turn.Change.Key, turn.Envelope, turn.Offset, now + (long)wait.TotalMicroseconds, attempts,
            turn.Pending?.SinceMicros ?? now, kept)));
        if (turn.DeadLetter is not null)
        {
            turn.Mutations.Add(new StateMutation.RemoveDeadLetter(leg.Id, turn.Change.Key));
        }

        ShowToOtherLeg(turn);
        turn.Note(sync, leg, error is null ? TimelineKind.Held : TimelineKind.Retrying, leg.From,
            new TimelineDetail { Error = error, Attempt = attempts, Message = error is null
                ? $"Waits for {turn.WaitingFor}." : null });
        return leg.CommitPendingAsync(() => leg.Committer.CommitAsync(turn.Mutations, turn.Tracker, turn.Offset));
    }

    /// <summary>
    /// A record without a partner that waits or is parked is there to be paired with, unless a create of its own may have made it one.
    /// </summary>
    private void ShowToOtherLeg(Turn turn)
    {
        if (turn.Link is null && turn.Candidate is { } candidate && !leg.Intents.ContainsKey(turn.Change.Key))
        {
            turn.Mutations.Add(new StateMutation.PutCandidate(candidate));
        }
    }

    private async Task ParkAsync(Turn turn, SyncError error, int attempts)
    {
        turn.Mutations.Add(new StateMutation.RemovePending(leg.Id, turn.Change.Key));
        if (leg.Intents.ContainsKey(turn.Change.Key))
        {
            turn.Mutations.Add(new StateMutation.RemoveIntent(leg.Id, turn.Change.Key));
        }

        leg.MayHaveDeadLetters = true;
        ShowToOtherLeg(turn);
        turn.Mutations.Add(new StateMutation.PutDeadLetter(new DeadLetter(
            0, leg.Id, turn.Change.Key, turn.Envelope, turn.Offset, attempts, sync.NowMicros(), error)));
        turn.Note(sync, leg, TimelineKind.DeadLettered, leg.From,
            new TimelineDetail { Error = error, Attempt = attempts });
        await leg.Committer.CommitAsync(turn.Mutations, turn.Tracker, turn.Offset);
        leg.Intents.TryRemove(turn.Change.Key, out _);
        sync.CreatesFrom(leg.From).Know(turn.Change.Key);
        leg.Counters.Add(LegCounters.Outcome.DeadLettered);
    }
}
