using Duplex.Engine.Diagnostics;
using Duplex.Engine.Links;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>
/// Takes a key away from a pair whose record is gone, for another record holds it now, while the delete of the pair still waits: the
/// pair and its delete go on under a key of their own (<see cref="FormerKeys"/>). So the newcomer is never taken for the record that
/// is gone, and the delete never falls on what the newcomer is linked with.
/// </summary>
internal sealed class KeyHandover(SyncContext sync, LegState leg)
{
    /// <summary>
    /// Before a change of this leg's side is decided about: hands its key over if the pair that holds it was deleted there before. False
    /// if there was nothing to hand over; otherwise what is known of the key is to be read anew.
    /// </summary>
    public async ValueTask<bool> HereAsync(Turn turn, CancellationToken cancellationToken)
    {
        if (turn.Link is not { State: LinkState.Live } link || (turn.Pending is null && turn.DeadLetter is null) || !Takes(turn))
        {
            return false;
        }

        var pending = turn.Pending is { } waiting && waiting.Offset < turn.Offset && IsDelete(waiting) ? waiting : null;
        if ((pending is null && (turn.DeadLetter is not { } letter || !IsDelete(letter)))
            || !await IsNewsAsync(turn, link, pending, cancellationToken))
        {
            return false;
        }

        using var held = await sync.PairLocks.EnterAsync(link.Id, cancellationToken);
        if (await FindAsync(leg.From, turn.Change.Key, cancellationToken) is not { State: LinkState.Live } fresh || fresh.Id != link.Id)
        {
            return true;
        }

        await HandOverAsync(turn, leg.From, fresh, pending, pending is null ? turn.DeadLetter : null);
        return true;
    }

    /// <summary>
    /// After the sink has made a new record under a key that another link holds: the record that had it is gone there, whether the news
    /// of that has come or not. False if the key cannot be handed over, because the link may be about the new record itself.
    /// </summary>
    /// <param name="turn">The turn that created the record.</param>
    /// <param name="key">The key.</param>
    /// <param name="repeated">Whether the record may have been made by an earlier attempt.</param>
    /// <param name="cancellationToken">The leg stops.</param>
    public async ValueTask<bool> ThereAsync(Turn turn, RecordKey key, bool repeated, CancellationToken cancellationToken)
    {
        if (await FindAsync(leg.To, key, cancellationToken) is not { } holder)
        {
            return true;
        }

        if (holder.Key(leg.From) == turn.Change.Key)
        {
            return false;
        }

        if (holder.State != LinkState.Live)
        {
            return await ForgetAsync(holder, repeated, cancellationToken);
        }

        using var held = await sync.PairLocks.EnterAsync(holder.Id, cancellationToken);
        var opposite = sync.Leg(leg.To);
        var pending = (await sync.Store.FindPendingAsync(opposite, [key], cancellationToken))[0];
        var letter = (await sync.Store.FindDeadLettersAsync(opposite, [key], cancellationToken))[0];
        var there = pending is not null && IsDelete(pending);
        if (await FindAsync(leg.To, key, cancellationToken) is not { State: LinkState.Live } fresh || fresh.Id != holder.Id)
        {
            return true;
        }

        if (repeated && !there && !await WaitsForDeleteAsync(fresh, cancellationToken))
        {
            return false;
        }

        await HandOverAsync(turn, leg.To, fresh, there ? pending : null, letter is not null && IsDelete(letter) ? letter : null);
        return true;
    }

    /// <summary>
    /// Whether a write failed on a record at the sink that goes by itself: its pair was deleted on this leg's side, and the delete waits.
    /// What the turn waits for is set then.
    /// </summary>
    public async ValueTask<bool> IsHeldUpAsync(Turn turn, WriteOutcome outcome, CancellationToken cancellationToken)
    {
        if (outcome is not { Error.Code: ErrorCode.SinkExists or ErrorCode.SinkConstraint, Key.IsEmpty: false }
            || await FindAsync(leg.To, outcome.Key, cancellationToken) is not { State: LinkState.Live } holder
            || !await WaitsForDeleteAsync(holder, cancellationToken))
        {
            return false;
        }

        turn.WaitingFor = $"record {outcome.Key} of side {leg.To.Letter()} to go: its delete is on the way";
        return true;
    }

    /// <summary>A record of this side that is new under its key. Only where changes come in order does that tell that the old one is
    /// gone.</summary>
    private bool Takes(Turn turn)
    {
        var change = turn.Change;
        return turn.Tracker is not null && sync.Connection(leg.From).Capabilities.OrderedStream
            && change.Operation != ChangeOperation.Delete
            && (change.PreviousKey.IsEmpty
                ? change.Operation == ChangeOperation.Create && !OriginMarks.IsOurs(change.Origin, sync.Store.Installation)
                : change.PreviousKey != change.Key);
    }

    /// <summary>
    /// Whether the change was certainly not recorded before: after a crash, a delete that is in doubt itself, because a record is there
    /// under its key, may have been read again, and the link be that of the newcomer already.
    /// </summary>
    private async ValueTask<bool> IsNewsAsync(Turn turn, Link link, Pending? delete, CancellationToken cancellationToken)
    {
        if (!turn.MayBeOld || delete is null or { Error: not null })
        {
            return true;
        }

        var previous = turn.Change.PreviousKey;
        return !previous.IsEmpty
            && await FindAsync(leg.From, previous, cancellationToken) is { State: LinkState.Live } mover && mover.Id != link.Id
            && await sync.Connection(leg.From).FetchAsync(sync.Stream(leg.From), previous, cancellationToken) is null;
    }

    private async ValueTask<bool> WaitsForDeleteAsync(Link link, CancellationToken cancellationToken) =>
        (await sync.Store.FindPendingAsync(leg.Id, [link.Key(leg.From)], cancellationToken))[0] is { } waiting && IsDelete(waiting);

    /// <summary>A link that is no more gives the key up; what it remembers of the other side stays.</summary>
    private async ValueTask<bool> ForgetAsync(Link holder, bool repeated, CancellationToken cancellationToken)
    {
        if (holder.State == LinkState.Deleted ? holder.Key(leg.From).IsEmpty : repeated)
        {
            return false;
        }

        var (opposite, key, rest) = (sync.Leg(leg.To), holder.Key(leg.To), holder.With(leg.To, default));
        var forgotten = new List<StateMutation>
        {
            rest.Key(leg.From).IsEmpty ? new StateMutation.RemoveLink(rest.Id) : new StateMutation.PutLink(rest),
        };
        if ((await sync.Store.FindPendingAsync(opposite, [key], cancellationToken))[0] is { } pending && IsDelete(pending))
        {
            forgotten.Add(new StateMutation.RemovePending(opposite, key));
        }

        await leg.Committer.CommitAsync(forgotten);
        return true;
    }

    private async Task HandOverAsync(Turn turn, Side side, Link link, Pending? pending, DeadLetter? letter)
    {
        var reader = sync.Leg(side);
        var key = link.Key(side);
        var former = FormerKeys.Of(key, link.Id);
        var moved = new List<StateMutation>
        {
            new StateMutation.PutLink(side == Side.A ? link with { A = former } : link with { B = former }),
        };
        if (pending is not null)
        {
            moved.Add(new StateMutation.RemovePending(reader, key));
            moved.Add(new StateMutation.PutPending(pending with { Key = former }));
        }
        else if (letter is not null)
        {
            moved.Add(new StateMutation.RemoveDeadLetter(reader, key));
            moved.Add(new StateMutation.PutDeadLetter(letter with { Key = former }));
        }
        else
        {
            moved.Add(new StateMutation.PutPending(DeleteOf(reader, former)));
        }

        Intent? renamed = null;
        if (sync.Legs[(int)side]?.Intents.TryGetValue(key, out var intent) == true)
        {
            renamed = intent with { Key = former };
            moved.Add(new StateMutation.RemoveIntent(reader, key));
            moved.Add(new StateMutation.PutIntent(renamed));
        }

        moved.Add(new StateMutation.AddTimeline(new TimelineEvent(
            sync.Name, side == Side.A ? former : link.A, side == Side.B ? former : link.B, sync.NowMicros(), TimelineKind.Held, side,
            new TimelineDetail { Message = "Another record has taken its key; its delete goes on without it." }.ToUtf8(turn.Change))));
        await sync.CommitToOtherLegAsync(side, () => leg.Committer.CommitAsync(moved));
        if (renamed is not null)
        {
            sync.Legs[(int)side]?.Rename(renamed with { Key = key }, renamed);
        }

        sync.Stamps.Touch(side, key);
    }

    private Pending DeleteOf(LegId reader, RecordKey former)
    {
        var now = sync.NowMicros();
        var envelope = Envelopes.Write(new Change
        {
            Operation = ChangeOperation.Delete,
            Stream = sync.Stream(reader.From),
            Key = former,
            SourceMicros = now,
            Position = "replaced",
        }, sync.Connection(reader.From).Model);
        return new Pending(reader, former, envelope, 0, now, 0, now, null);
    }

    private async ValueTask<Link?> FindAsync(Side side, RecordKey key, CancellationToken cancellationToken) =>
        (await sync.Store.FindLinksAsync(sync.Name, side, [key], cancellationToken))[0];

    private static bool IsDelete(Pending pending) => IsDelete(pending.Key, pending.Envelope);

    private static bool IsDelete(DeadLetter letter) => IsDelete(letter.Key, letter.Envelope);

    private static bool IsDelete(RecordKey key, ReadOnlyMemory<byte> envelope) =>
        ChangeEnvelope.Parse(key, envelope).Operation == ChangeOperation.Delete;
}
