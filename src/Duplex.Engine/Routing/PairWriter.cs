using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>Carries a merge out: writes the one side, the other, or both, and records the new shadow with everything
/// that was decided.</summary>
internal sealed class PairWriter(SyncContext sync, LegState leg, Recorder recorder, KeyHandover keys)
{
    /// <summary>
    /// How often a record waits for the change that beat ours at the sink to come by the log, where its time is known,
    /// before the sink's own word is taken for it.
    /// </summary>
    private const int WaitsMax = 8;

    private const int RoundsMax = 4;

    /// <summary>Writes and records.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="pair">The pair, locked by the caller.</param>
    /// <param name="result">What was decided.</param>
    /// <param name="again">Decides anew, given the other side as the sink found it.</param>
    /// <param name="finishes">Whether the turn ends with it; otherwise <see cref="Step.Again"/> follows.</param>
    /// <param name="cancellationToken">The leg stops.</param>
    public async Task<Step> RunAsync(
        Turn turn, Pair pair, MergeResult result, Func<SideState, MergeResult> again, bool finishes,
        CancellationToken cancellationToken)
    {
        for (var round = 0; round < RoundsMax; round++)
        {
            if (result.Problems.Count > 0)
            {
                return await recorder.FailAsync(turn,
                    PairFlow.Unmappable(result.Problems[0].Rule, result.Problems[0].Problem));
            }

            var (side, outcome) = await WriteAsync(turn, pair, result, cancellationToken);
            if (outcome is null)
            {
                return await RecordAsync(turn, pair, result, finishes);
            }

            if (side == leg.To && await keys.IsHeldUpAsync(turn, outcome, cancellationToken))
            {
                return await recorder.WaitAsync(turn);
            }

            if (outcome.Status != WriteStatus.Conflict)
            {
                return await recorder.FailAsync(turn, outcome.Error
                    ?? new SyncError(ErrorCode.Internal, $"The sink answered {outcome.Status} without an error."));
            }

            if (outcome.Current is null || side == leg.From || (turn.Attempts < WaitsMax && sync.Model.Flows(leg.To)))
            {
                break;
            }

            var found = Values.Read(sync.Rules, side, outcome.Current.Root, []);
            result = again(new SideState(found, outcome.AtMicros > 0 ? outcome.AtMicros : sync.NowMicros()));
            pair.Raise(side, outcome.AtMicros);
        }

        turn.WaitingFor = "the other side's own change to arrive";
        return await recorder.WaitAsync(turn);
    }

    /// <summary>Writes both sides as far as needed; the outcome that stopped it, or null when all was
    /// applied.</summary>
    private async Task<(Side Side, WriteOutcome? Stopped)> WriteAsync(
        Turn turn, Pair pair, MergeResult result, CancellationToken cancellationToken)
    {
        foreach (var side in (Side[])[leg.To, leg.From])
        {
            if (result.Writes(side).Count > 0
                && await WriteSideAsync(turn, pair, result, side,
                    cancellationToken) is { Status: not WriteStatus.Applied } stopped)
            {
                return (side, stopped);
            }
        }

        return (leg.To, null);
    }

    private async Task<WriteOutcome> WriteSideAsync(
        Turn turn, Pair pair, MergeResult result, Side side, CancellationToken cancellationToken)
    {
        var writes = result.Writes(side);
        var compares = sync.Connection(side).Capabilities.ComparesBeforeWrite;
        var fields = Values.Build(sync.Rules, side, writes.Select(static w => (w.Rule, w.Wanted)));
        var expected = compares && sync.Model.Flows(side)
            ? Values.Build(sync.Rules, side, writes.Select(static w => (w.Rule, w.Believed)))
            : null;
        var mark = WriteMarks.For(sync.Store.Installation, leg.Id, side, turn.Change.Key, turn.Offset, turn.Attempts,
            WriteOperation.Update, fields.Utf8.Span);
        var outcome = await sync.WriteAsync(side, new WriteRequest
        {
            Stream = sync.Stream(side),
            Operation = WriteOperation.Update,
            Key = pair.Link.Key(side),
            Fields = fields,
            Expected = expected,
            IdempotencyKey = mark,
        }, cancellationToken);
        if (outcome.Status == WriteStatus.Applied)
        {
            Applied(turn, pair, result, side, mark, outcome);
        }
        else if (!compares && side == leg.To && outcome.Error is { } error && FailurePolicy.OutcomeUnknown(error.Code))
        {
            turn.Unsettled = new Intent(
                leg.Id, turn.Change.Key, mark, fields.Utf8, turn.Envelope, turn.Offset, sync.NowMicros());
        }

        return outcome;
    }

    private void Applied(Turn turn, Pair pair, MergeResult result, Side side, string mark, WriteOutcome outcome)
    {
        var writes = result.Writes(side);
        if (outcome.Current is { } current)
        {
            var held = Values.Read(sync.Rules, side, current.Root, []);
            foreach (var write in writes)
            {
                result.Shadow(side)[write.Rule] = held[write.Rule];
            }
        }

        pair.Raise(side, outcome.AtMicros);
        if (!sync.Connection(side).Capabilities.ComparesBeforeWrite)
        {
            pair.Marks.Remember(new RememberedWrite(side, mark, turn.Change.SourceMicros,
                writes.ToDictionary(w => sync.Rules[w.Rule].Name, static w => w.Believed)));
        }

        turn.NoteApplied(sync, leg, side, new TimelineDetail
        {
            Write = "update",
            Fields = writes.Select(w => sync.Rules[w.Rule].Name),
            Mark = mark,
            Request = outcome.RequestId,
            Attempt = turn.Attempts + 1,
        });
        writes.Clear();
        leg.Counters.Add(LegCounters.Outcome.Written);
    }

    private async Task<Step> RecordAsync(Turn turn, Pair pair, MergeResult result, bool finishes)
    {
        pair.Learn(Side.A, result.ShadowA);
        pair.Learn(Side.B, result.ShadowB);
        foreach (var conflict in result.Conflicts)
        {
            Record(turn, pair, conflict);
        }

        foreach (var rule in result.Released)
        {
            pair.Marks.Release(rule);
            turn.Mutations.Add(new StateMutation.RemoveConflict(sync.Name, pair.Link.A, pair.Link.B, rule));
        }

        turn.Mutations.Add(new StateMutation.PutLink(pair.ToLink()));
        if (!finishes)
        {
            await leg.Committer.CommitAsync(turn.Mutations);
            turn.Recorded();
            return Step.Again;
        }

        return turn.Writes > 0
            ? await recorder.EndAsync(turn)
            : await recorder.FinishAsync(turn, TimelineKind.Agreed, new TimelineDetail { Message = "In step." });
    }

    private void Record(Turn turn, Pair pair, FieldConflict conflict)
    {
        var rule = sync.Rules[conflict.Rule].Name;
        var settled = pair.Marks.Settled.ContainsKey(rule);
        if (conflict.Winner is null)
        {
            pair.Marks.Held.Add(rule);
        }
        else
        {
            pair.Marks.Release(rule);
        }

        var known = Values.Text(conflict.Base);
        turn.Mutations.Add(new StateMutation.PutConflict(new Conflict(
            0, sync.Name, pair.Link.A, pair.Link.B, rule, Values.Text(conflict.ValueA), Values.Text(conflict.ValueB),
            conflict.Winner, conflict.Policy, sync.NowMicros(), known.Length == 0 ? null : known)));
        turn.Note(sync, leg, TimelineKind.Conflict, leg.From, new TimelineDetail
        {
            Fields = [rule],
            Message = conflict.Winner switch
            {
                null => $"Both sides changed {rule}; it waits for a person.",
                { } winner when settled && conflict.Policy == "given" =>
                    $"A person gave {rule} another value, in the form of {winner.Letter()}.",
                { } winner when settled => $"A person settled {rule}; {winner.Letter()} stands.",
                { } winner => $"Both sides changed {rule}; {winner.Letter()} stands by policy {conflict.Policy}.",
            },
        });
    }
}
