using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>
/// Writes that are announced before they are sent: creates always, so that a crash between the create and its record
/// never makes a second one, and updates whose outcome is unknown. They are repeated exactly as they were, under the
/// same key, before anything else happens to their record.
/// </summary>
internal sealed class IntentFlow(SyncContext sync, LegState leg, Recorder recorder, KeyHandover keys)
{
    /// <summary>Vendors keep idempotency keys for a day; after that a repetition could be a second effect.</summary>
    private static readonly TimeSpan AgeMax = TimeSpan.FromHours(23);

    /// <summary>Repeats an announced write, then lets the turn go on.</summary>
    public async Task<Step> SettleAsync(Turn turn, Intent intent, CancellationToken cancellationToken)
    {
        if (sync.NowMicros() - intent.AtMicros > AgeMax.TotalMicroseconds)
        {
            return await recorder.FailAsync(turn, new SyncError(
                ErrorCode.SinkRejected,
                "The outcome of a write is unknown, and it is too old to be repeated safely under its idempotency key.",
                Suggestion: "Look the record up at the other side, then replay this dead letter.",
                Detail: intent.IdempotencyKey));
        }

        var alone = turn.Link is null || turn.Link.Key(leg.To).IsEmpty;
        if (WriteMarks.IsCreate(intent.IdempotencyKey))
        {
            return alone ? await CreateAsync(turn, intent, settling: true, cancellationToken) : await DropAsync(turn);
        }

        return alone || turn.Link!.State != LinkState.Live
            ? await DropAsync(turn)
            : await UpdateAsync(turn, intent, turn.Link, cancellationToken);
    }

    /// <summary>Sends a create and records the link that it makes.</summary>
    public async Task<Step> CreateAsync(Turn turn, Intent intent, bool settling, CancellationToken cancellationToken)
    {
        using var create = sync.CreatesFrom(leg.From).Begin();
        var fields = new Record(intent.Fields);
        try
        {
            var outcome = await sync.WriteAsync(leg.To, new WriteRequest
            {
                Stream = sync.Stream(leg.To),
                Operation = WriteOperation.Create,
                Key = default,
                Fields = fields,
                IdempotencyKey = intent.IdempotencyKey,
            }, cancellationToken);
            return outcome.Status switch
            {
                WriteStatus.Applied => await CreatedAsync(turn, intent, fields, outcome, settling, cancellationToken),
                _ when outcome.Error?.Code == ErrorCode.SinkExists && !outcome.Key.IsEmpty =>
                    await PairWithExistingAsync(turn, outcome, cancellationToken),
                _ => await FailedAsync(turn, intent, outcome, settling, cancellationToken),
            };
        }
        catch when (leg.Intents.ContainsKey(turn.Change.Key))
        {
            // Sent perhaps, and not recorded: the other leg must not take what it made for somebody's new record.
            sync.CreatesFrom(leg.From).Doubt(turn.Change.Key, sync.Match.Of(leg.To, fields.Root));
            throw;
        }
    }

    private async Task<Step> CreatedAsync(
        Turn turn, Intent intent, Record fields, WriteOutcome outcome, bool settling, CancellationToken cancellationToken)
    {
        var change = settling ? ChangeEnvelope.Parse(turn.Change.Key, intent.Envelope) : turn.Change;
        var mine = settling ? Values.Of(sync.Rules, leg.From, change) : turn.Told(sync, leg.From);
        var link = new Link { Id = sync.Store.NextLinkId(), Sync = sync.Name }
            .With(leg.From, turn.Change.Key, Values.ToShadow(sync.Rules, leg.From, mine), change.SourceMicros)
            .With(leg.To, outcome.Key, Values.ToShadow(sync.Rules, leg.To, Theirs(fields, outcome)), outcome.AtMicros);
        turn.Mutations.Add(new StateMutation.PutLink(link));
        turn.Mutations.Add(new StateMutation.RemoveIntent(leg.Id, turn.Change.Key));
        turn.Mutations.Add(new StateMutation.RemoveCandidate(sync.Name, Side.A, link.A));
        turn.Mutations.Add(new StateMutation.RemoveCandidate(sync.Name, Side.B, link.B));
        turn.Link = link;
        var detail = new TimelineDetail
        {
            Write = "create", Mark = intent.IdempotencyKey, Request = outcome.RequestId, Attempt = turn.Attempts + 1,
        };
        try
        {
            if (settling)
            {
                turn.Note(sync, leg, TimelineKind.Written, leg.To, detail);
                await recorder.CommitPartnerAsync(turn, outcome.Key, () => leg.Committer.CommitAsync(turn.Mutations));
                leg.Counters.Add(LegCounters.Outcome.Written);
            }
            else
            {
                await recorder.FinishAsync(turn, TimelineKind.Written, detail, leg.To);
            }
        }
        catch (LinkTakenException e)
        {
            turn.Withdraw();
            if (e.Side == leg.To && await keys.ThereAsync(turn, outcome.Key, settling, cancellationToken))
            {
                return await CreatedAsync(turn, intent, fields, outcome, settling, cancellationToken);
            }

            Forget(turn.Change.Key);
            if (await AdoptDeletedAsync(turn, link))
            {
                return Step.Again;
            }

            return await recorder.FailAsync(turn, new SyncError(ErrorCode.MatchAmbiguous, e.Message,
                Suggestion: "Another record is linked with this one already; part or delete one of the two."));
        }

        Forget(turn.Change.Key);
        return settling ? Step.Again : Step.Finished;
    }

    /// <summary>
    /// The record that a repeated create made was deleted before its create was recorded, and its delete found no partner: the
    /// two are linked now, and the delete is decided about once more.
    /// </summary>
    private async Task<bool> AdoptDeletedAsync(Turn turn, Link link)
    {
        var key = link.Key(leg.To);
        var tombstone = (await sync.Store.FindLinksAsync(sync.Name, leg.To, [key], CancellationToken.None))[0];
        if (tombstone is not { State: LinkState.Deleted } || !tombstone.Key(leg.From).IsEmpty)
        {
            return false;
        }

        var now = sync.NowMicros();
        var delete = Envelopes.Write(new Change
        {
            Operation = ChangeOperation.Delete,
            Stream = sync.Stream(leg.To),
            Key = key,
            SourceMicros = tombstone.Key(Side.A).IsEmpty ? tombstone.VersionB : tombstone.VersionA,
            Position = "adopted",
        }, sync.Connection(leg.To).Model);
        await sync.CommitToOtherLegAsync(leg.To, () => leg.Committer.CommitAsync(
        [
            new StateMutation.RemoveLink(tombstone.Id),
            new StateMutation.PutLink(link),
            new StateMutation.RemoveIntent(leg.Id, turn.Change.Key),
            new StateMutation.RemoveCandidate(sync.Name, Side.A, link.A),
            new StateMutation.RemoveCandidate(sync.Name, Side.B, link.B),
            new StateMutation.PutPending(new Pending(sync.Leg(leg.To), key, delete, 0, now, 0, now, null)),
        ]));
        return true;
    }

    /// <summary>The other side's values after a create: of the fields that were written, as the sink holds
    /// them.</summary>
    private FieldValue[] Theirs(Record fields, WriteOutcome outcome)
    {
        var sent = Values.Read(sync.Rules, leg.To, fields.Root, []);
        var held = outcome.Current is null ? sent : Values.Read(sync.Rules, leg.To, outcome.Current.Root, []);
        for (var i = 0; i < sent.Length; i++)
        {
            if (sent[i].State == FieldState.Absent)
            {
                held[i] = FieldValue.Unchanged;
            }
        }

        return held;
    }

    private async Task<Step> UpdateAsync(Turn turn, Intent intent, Link link, CancellationToken cancellationToken)
    {
        using var held = await sync.PairLocks.EnterAsync(link.Id, cancellationToken);
        var outcome = await sync.WriteAsync(leg.To, new WriteRequest
        {
            Stream = sync.Stream(leg.To),
            Operation = WriteOperation.Update,
            Key = link.Key(leg.To),
            Fields = new Record(intent.Fields),
            IdempotencyKey = intent.IdempotencyKey,
        }, cancellationToken);
        if (outcome.Status != WriteStatus.Applied)
        {
            return await FailedAsync(turn, intent, outcome, settling: true, cancellationToken);
        }

        var fresh = (await sync.Store.FindLinksAsync(sync.Name, leg.From, [turn.Change.Key], cancellationToken))[0];
        if (fresh is null || fresh.Id != link.Id)
        {
            return await DropAsync(turn);
        }

        turn.Mutations.Add(new StateMutation.PutLink(Settled(fresh, intent, outcome)));
        turn.Mutations.Add(new StateMutation.RemoveIntent(leg.Id, turn.Change.Key));
        turn.Note(sync, leg, TimelineKind.Written, leg.To, new TimelineDetail
        {
            Write = "update", Mark = intent.IdempotencyKey, Request = outcome.RequestId, Attempt = turn.Attempts + 1,
        });
        await leg.Committer.CommitAsync(turn.Mutations);
        leg.Counters.Add(LegCounters.Outcome.Written);
        Forget(turn.Change.Key);
        return Step.Again;
    }

    private Link Settled(Link link, Intent intent, WriteOutcome outcome)
    {
        var change = ChangeEnvelope.Parse(link.Key(leg.From), intent.Envelope);
        var shadows = new[]
        {
            Values.FromShadow(sync.Rules, Side.A, link.ShadowA), Values.FromShadow(sync.Rules, Side.B, link.ShadowB),
        };
        var theirs = Theirs(new Record(intent.Fields), outcome);
        var mine = change.After is null ? null : Values.Read(sync.Rules, leg.From, change.After.Root, change.Unchanged);
        for (var i = 0; i < theirs.Length; i++)
        {
            if (theirs[i].State != FieldState.Unchanged)
            {
                shadows[(int)leg.To][i] = theirs[i];
                shadows[(int)leg.From][i] = mine is null || mine[i].State == FieldState.Unchanged
                    ? shadows[(int)leg.From][i]
                    : mine[i];
            }
        }

        return link with
        {
            ShadowA = Values.ToShadow(sync.Rules, Side.A, shadows[0]),
            ShadowB = Values.ToShadow(sync.Rules, Side.B, shadows[1]),
            VersionA = leg.To == Side.A ? Math.Max(link.VersionA, outcome.AtMicros) : link.VersionA,
            VersionB = leg.To == Side.B ? Math.Max(link.VersionB, outcome.AtMicros) : link.VersionB,
        };
    }

    private async Task<Step> FailedAsync(
        Turn turn, Intent intent, WriteOutcome outcome, bool settling, CancellationToken cancellationToken)
    {
        var error = outcome.Error ?? Unexpected(outcome);
        var unknown = FailurePolicy.OutcomeUnknown(error.Code);
        if (unknown && turn.Link is null)
        {
            sync.CreatesFrom(leg.From).Doubt(turn.Change.Key, sync.Match.Of(leg.To, new Record(intent.Fields).Root));
        }
        else
        {
            sync.CreatesFrom(leg.From).Know(turn.Change.Key);
        }

        if (!unknown && error.Code is not (ErrorCode.SinkRateLimited or ErrorCode.SinkUnauthorized))
        {
            // The write definitely did not happen: the record is decided anew, under a new key.
            await leg.Committer.CommitAsync([new StateMutation.RemoveIntent(leg.Id, turn.Change.Key)]);
            Forget(turn.Change.Key);
            if (settling && turn.Offset != intent.Offset)
            {
                return Step.Again;
            }
        }

        return await keys.IsHeldUpAsync(turn, outcome, cancellationToken)
            ? await recorder.WaitAsync(turn)
            : await recorder.FailAsync(turn, error);
    }

    private async Task<Step> PairWithExistingAsync(Turn turn, WriteOutcome outcome, CancellationToken cancellationToken)
    {
        var existing = outcome.Key;
        Forget(turn.Change.Key);
        var link = new Link
        {
            Id = sync.Store.NextLinkId(),
            Sync = sync.Name,
            A = leg.From == Side.A ? turn.Change.Key : existing,
            B = leg.From == Side.A ? existing : turn.Change.Key,
        };
        turn.Link = link;
        turn.Note(sync, leg, TimelineKind.Linked, leg.To,
            new TimelineDetail { Message = "The record was there already." });
        try
        {
            turn.Mutations.Add(new StateMutation.RemoveIntent(leg.Id, turn.Change.Key));
            turn.Mutations.Add(new StateMutation.PutLink(link));
            turn.Mutations.Add(new StateMutation.RemoveCandidate(sync.Name, Side.A, link.A));
            turn.Mutations.Add(new StateMutation.RemoveCandidate(sync.Name, Side.B, link.B));
            await recorder.CommitPartnerAsync(turn, existing, () => leg.Committer.CommitAsync(turn.Mutations));
        }
        catch (LinkTakenException e)
        {
            turn.Withdraw();
            turn.Link = null;
            await leg.Committer.CommitAsync([new StateMutation.RemoveIntent(leg.Id, turn.Change.Key)]);
            if (await keys.IsHeldUpAsync(turn, outcome, cancellationToken))
            {
                return await recorder.WaitAsync(turn);
            }

            if (turn.Attempts < PairFlow.PartnerWaitsMax)
            {
                turn.WaitingFor = $"news of record {existing} of side {leg.To.Letter()}, which has the key and another partner";
                return await recorder.WaitAsync(turn);
            }

            return await recorder.FailAsync(turn, new SyncError(ErrorCode.SinkExists, e.Message,
                Suggestion: "The existing record is linked with another one; part or delete one of the two, then replay."));
        }

        return Step.Again;
    }

    private async Task<Step> DropAsync(Turn turn)
    {
        await leg.Committer.CommitAsync([new StateMutation.RemoveIntent(leg.Id, turn.Change.Key)]);
        Forget(turn.Change.Key);
        return Step.Again;
    }

    private void Forget(RecordKey key)
    {
        leg.Intents.TryRemove(key, out _);
        sync.CreatesFrom(leg.From).Know(key);
    }

    private static SyncError Unexpected(WriteOutcome outcome) =>
        new(ErrorCode.Internal, $"The sink answered a write with {outcome.Status} and no error.");
}
