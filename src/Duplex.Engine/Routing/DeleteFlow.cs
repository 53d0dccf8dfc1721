using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Merge;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>Deletes by policy, and changes that meet the memory of a deleted pair.</summary>
internal sealed class DeleteFlow(SyncContext sync, LegState leg, Recorder recorder)
{
    /// <summary>How often a delete whose record is not there waits to learn why.</summary>
    private const int GoneWaitsMax = 8;

    /// <summary>How often a delete whose record is not as it was waits to learn why.</summary>
    private const int ConflictWaitsMax = 6;

    private readonly ReadLag _lag = new(sync, leg.From);

    public async Task<Step> RunAsync(Turn turn, CancellationToken cancellationToken)
    {
        turn.Mutations.Add(new StateMutation.RemoveCandidate(sync.Name, leg.From, turn.Change.Key));
        if (turn.Link is not { } link)
        {
            return await ForgetUnlinkedAsync(turn);
        }

        if (link.State != LinkState.Live)
        {
            var kind = OriginMarks.IsOurs(turn.Change.Origin, sync.Store.Installation)
                ? TimelineKind.Echo : TimelineKind.Agreed;
            return await recorder.FinishAsync(turn, kind,
                new TimelineDetail { Message = "The pair is deleted already." });
        }

        using var held = await sync.PairLocks.EnterAsync(link.Id, cancellationToken);
        var fresh = (await sync.Store.FindLinksAsync(sync.Name, leg.From, [turn.Change.Key], cancellationToken))[0];
        if (fresh is null || fresh.State != LinkState.Live || fresh.Id != link.Id)
        {
            return Step.Again;
        }

        turn.Link = fresh;
        if ((turn.MayBeOld || IsOlder(turn, fresh))
            && await sync.Connection(leg.From).FetchAsync(sync.Stream(leg.From), turn.Change.Key, cancellationToken) is not null)
        {
            return _lag.MayHide(turn) ? await _lag.WaitAsync(turn, recorder) : await ThereAgainAsync(turn);
        }

        return await ByPolicyAsync(turn, fresh, cancellationToken);
    }

    /// <summary>
    /// A change of a record whose pair was deleted: late, or a new record under the old key. The record itself tells
    /// which.
    /// </summary>
    public async Task<Step> MeetTombstoneAsync(Turn turn, CancellationToken cancellationToken)
    {
        var connection = sync.Connection(leg.From);
        var isNew = !turn.MayBeOld && connection.Capabilities.OrderedStream && turn.Change.Operation == ChangeOperation.Create;
        if (!isNew && await connection.FetchAsync(sync.Stream(leg.From), turn.Change.Key, cancellationToken) is null)
        {
            return await recorder.FinishAsync(turn, TimelineKind.Agreed,
                new TimelineDetail { Message = "The record is deleted." });
        }

        if (!isNew && _lag.MayHide(turn))
        {
            return await _lag.WaitAsync(turn, recorder);
        }

        // The other side's half of the memory stays: late changes there must still find it.
        var link = turn.Link!;
        var rest = leg.From == Side.A ? link with { A = default } : link with { B = default };
        await leg.Committer.CommitAsync(
            [rest.Key(leg.To).IsEmpty ? new StateMutation.RemoveLink(link.Id) : new StateMutation.PutLink(rest)]);
        sync.Stamps.Touch(leg.From, turn.Change.Key);
        return Step.Again;
    }

    /// <summary>
    /// Whether the link knows of a younger state of the record: the delete may be that of another record, which had the key before.
    /// </summary>
    private bool IsOlder(Turn turn, Link link) => sync.Connection(leg.From).Capabilities.OrderedStream
        && turn.Change.SourceMicros != 0 && turn.Change.SourceMicros < (leg.From == Side.A ? link.VersionA : link.VersionB);

    /// <summary>
    /// Another record may have the key by now, whose own news follows and then takes it; or this one was read again after a crash.
    /// </summary>
    private async Task<Step> ThereAgainAsync(Turn turn)
    {
        if (sync.Connection(leg.From).Capabilities.OrderedStream && turn.Attempts < GoneWaitsMax)
        {
            turn.WaitingFor = "news of the record that has its key";
            return await recorder.WaitAsync(turn);
        }

        return await recorder.FinishAsync(
            turn, TimelineKind.Agreed, new TimelineDetail { Message = "The record is there again." });
    }

    private async Task<Step> ForgetUnlinkedAsync(Turn turn)
    {
        var before = turn.Change.Before is { } image ? sync.Match.Of(leg.From, image.Root) : null;
        var (possibly, likely) = sync.CreatesFrom(leg.To).MayHaveMade(before);
        if (likely || (possibly && turn.Attempts < NewcomerFlow.WaitsMax))
        {
            turn.WaitingFor = "a create whose outcome is unknown: it may have made the record that is deleted";
            return await recorder.WaitAsync(turn);
        }

        if (!sync.Connection(leg.From).Capabilities.OrderedStream)
        {
            // A create or update of this record may still be on its way and must not bring it back.
            var tombstone = new Link { Id = sync.Store.NextLinkId(), Sync = sync.Name, State = LinkState.Deleted };
            turn.Mutations.Add(new StateMutation.PutLink(
                tombstone.With(leg.From, turn.Change.Key, version: turn.Change.SourceMicros)));
        }

        return await recorder.FinishAsync(turn, TimelineKind.Agreed,
            new TimelineDetail { Message = "It had no partner." });
    }

    private async Task<Step> ByPolicyAsync(Turn turn, Link link, CancellationToken cancellationToken)
    {
        if (link.Key(leg.To).IsEmpty || !leg.Flows)
        {
            End(turn, link, Tombstone(link, turn));
            return await recorder.FinishAsync(turn, TimelineKind.Unlinked,
                new TimelineDetail { Message = "Deletes of this side are not carried over." });
        }

        var policy = sync.Model.Of(leg.From).OnDelete;
        switch (turn.Approved ? DeletePolicy.Propagate : policy)
        {
            case DeletePolicy.Unlink:
                End(turn, link, link with { State = LinkState.Unlinked, Marks = default });
                return await recorder.FinishAsync(turn, TimelineKind.Unlinked,
                    new TimelineDetail { Message = "Parted by policy unlink." });
            case DeletePolicy.Manual:
                return await recorder.FailAsync(turn, new SyncError(
                    ErrorCode.ConflictManual,
                        "The record was deleted; by policy manual its partner stays until a person decides.",
                    Suggestion: "Replay this dead letter to delete the partner, or leave the partner as it is."));
            case DeletePolicy.Restore:
                return await RestoreAsync(turn, link, cancellationToken);
            default:
                return await PropagateAsync(turn, link, cancellationToken);
        }
    }

    private async Task<Step> PropagateAsync(Turn turn, Link link, CancellationToken cancellationToken)
    {
        if (await OtherIsDeletedTooAsync(link, failed: true, cancellationToken))
        {
            // A write would fall on whichever record has the partner's key by now.
            End(turn, link, Tombstone(link, turn));
            return await recorder.FinishAsync(
                turn, TimelineKind.Agreed, new TimelineDetail { Message = "Its partner is deleted too." });
        }

        if (!turn.Approved && !leg.Brake.TryTake(turn.Change.Key, turn.Offset))
        {
            throw new SyncException(new SyncError(ErrorCode.BrakeEngaged,
                $"More than {sync.Model.DeleteBrake} deletes a minute came from side {leg.From.Letter()} of {sync.Name}; "
                + "the leg has stopped before the next one.",
                Path: $"{sync.Model.Path}/deletes/brake",
                Suggestion: $"If they are meant, run: duplex resume {sync.Name}"));
        }

        var compares = sync.Connection(leg.To).Capabilities.ComparesBeforeWrite && sync.Model.Flows(leg.To);
        var pair = new Pair(sync, link);
        var expected = compares && pair.Knows(leg.To) ? pair.Shadow(leg.To) : null;
        var outcome = await DeleteAsync(turn, link, expected, cancellationToken);
        if (outcome.Status == WriteStatus.Conflict && turn.Attempts < ConflictWaitsMax)
        {
            // Edited there, or deleted and made anew under its key: the other side's own change tells which.
            turn.WaitingFor = "the other side's own change to arrive";
            return await recorder.WaitAsync(turn);
        }

        if (outcome.Status == WriteStatus.Conflict)
        {
            KeepLosers(turn, link, pair, outcome);
            outcome = await DeleteAsync(turn, link, null, cancellationToken);
        }

        if (outcome.Error?.Code == ErrorCode.SinkGone && turn.Attempts < GoneWaitsMax
            && sync.Model.Flows(leg.To) && !await OtherIsDeletedTooAsync(link, failed: false, cancellationToken))
        {
            // Deleted there too, or moved to another key: the other side's own change tells which.
            turn.WaitingFor = "the other side's own change to arrive";
            return await recorder.WaitAsync(turn);
        }

        if (outcome.Status != WriteStatus.Applied && outcome.Error?.Code != ErrorCode.SinkGone)
        {
            return await recorder.FailAsync(turn, outcome.Error
                ?? new SyncError(ErrorCode.Internal, $"The sink answered {outcome.Status} without an error."));
        }

        End(turn, link, Tombstone(link, turn, outcome.AtMicros));
        return await recorder.FinishAsync(turn, TimelineKind.Written, new TimelineDetail
        {
            Write = "delete", Request = outcome.RequestId, Attempt = turn.Attempts + 1,
        }, leg.To);
    }

    /// <summary>Whether the partner's own delete is known to the opposite leg, and waits there.</summary>
    /// <param name="link">The pair.</param>
    /// <param name="failed">Whether only one counts that was tried, so that there is no doubt about it.</param>
    /// <param name="cancellationToken">The leg stops.</param>
    private async ValueTask<bool> OtherIsDeletedTooAsync(Link link, bool failed, CancellationToken cancellationToken)
    {
        if (sync.Legs[(int)leg.To] is { MayHavePending: false })
        {
            return false;
        }

        var waiting = (await sync.Store.FindPendingAsync(sync.Leg(leg.To), [link.Key(leg.To)], cancellationToken))[0];
        return waiting is not null && (!failed || waiting.Error is not null)
            && ChangeEnvelope.Parse(waiting.Key, waiting.Envelope).Operation == ChangeOperation.Delete;
    }

    private Task<WriteOutcome> DeleteAsync(
        Turn turn, Link link, Mapping.FieldValue[]? expected, CancellationToken cancellationToken)
    {
        var fields = expected is null
            ? null
            : Values.Build(sync.Rules, leg.To, expected.Select(static (v, i) => (i, v))
                .Where(v => sync.Rules[v.i].ShadowName(leg.To).Length > 0));
        return sync.WriteAsync(leg.To, new WriteRequest
        {
            Stream = sync.Stream(leg.To),
            Operation = WriteOperation.Delete,
            Key = link.Key(leg.To),
            Expected = fields,
            IdempotencyKey =
                WriteMarks.For(sync.Store.Installation, leg.Id, leg.To, turn.Change.Key, turn.Offset, turn.Attempts,
                WriteOperation.Delete, fields is null ? [] : fields.Utf8.Span),
        }, cancellationToken);
    }

    /// <summary>The partner was edited while the delete was on its way: the delete stands, and the edits are kept as
    /// conflicts that lost.</summary>
    private void KeepLosers(Turn turn, Link link, Pair pair, WriteOutcome outcome)
    {
        if (outcome.Current is not { } current)
        {
            return;
        }

        var found = Values.Read(sync.Rules, leg.To, current.Root, []);
        for (var i = 0; i < found.Length; i++)
        {
            if (sync.Merger.Changed(leg.To, i, found[i], pair.Shadow(leg.To)[i]))
            {
                var lost = Values.Text(found[i]);
                turn.Mutations.Add(new StateMutation.PutConflict(new Conflict(
                    0, sync.Name, link.A, link.B, sync.Rules[i].Name, leg.To == Side.A ? lost : "", leg.To == Side.B
                        ? lost : "",
                    leg.From, "delete", sync.NowMicros())));
            }
        }
    }

    /// <summary>The partner's image goes to the opposite leg as a new record, which creates it again on this
    /// side.</summary>
    private async Task<Step> RestoreAsync(Turn turn, Link link, CancellationToken cancellationToken)
    {
        var connection = sync.Connection(leg.To);
        var key = link.Key(leg.To);
        if (!sync.Model.Flows(leg.To)
            || await connection.FetchAsync(sync.Stream(leg.To), key, cancellationToken) is not { } partner)
        {
            End(turn, link, Tombstone(link, turn));
            return await recorder.FinishAsync(turn, TimelineKind.Agreed,
                new TimelineDetail { Message = "There is nothing to restore it from." });
        }

        var now = sync.NowMicros();
        var envelope = Envelopes.Write(new Change
        {
            Operation = ChangeOperation.Read,
            Stream = sync.Stream(leg.To),
            Key = key,
            After = partner.Record,
            SourceMicros = partner.AtMicros,
            Position = "restore",
        }, connection.Model);
        turn.Mutations.Add(new StateMutation.PutLink(leg.From == Side.A
            ? link with { State = LinkState.Deleted, B = default }
            : link with { State = LinkState.Deleted, A = default }));
        turn.Mutations.Add(
            new StateMutation.PutPending(new Pending(sync.Leg(leg.To), key, envelope, 0, now, 0, now, null)));
        await sync.CommitToOtherLegAsync(leg.To, () =>
            recorder.FinishAsync(turn, TimelineKind.Held,
                new TimelineDetail { Message = "Restored from its partner by policy." }));
        sync.Stamps.Touch(leg.To, key);
        return Step.Finished;
    }

    /// <summary>The pair is no more: what waited for a person about it is settled by the delete.</summary>
    private void End(Turn turn, Link link, Link ended)
    {
        turn.Mutations.Add(new StateMutation.PutLink(ended));
        if (LinkMarks.Parse(link.Marks).Held.Count > 0)
        {
            turn.Mutations.Add(
                new StateMutation.SettleConflicts(sync.Name, link.A, link.B, leg.From, "delete", sync.NowMicros()));
        }
    }

    private Link Tombstone(Link link, Turn turn, long micros = 0) => link with
    {
        State = LinkState.Deleted,
        ShadowA = default,
        ShadowB = default,
        Marks = default,
        VersionA = Math.Max(link.VersionA, leg.From == Side.A ? turn.Change.SourceMicros : micros),
        VersionB = Math.Max(link.VersionB, leg.From == Side.B ? turn.Change.SourceMicros : micros),
    };
}
