using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>Records that no link holds: paired with an existing one by the match fields, created at the other side, or
/// left to a person.</summary>
internal sealed class NewcomerFlow(SyncContext sync, LegState leg, Recorder recorder, IntentFlow intents)
{
    /// <summary>How often a record waits while the other leg has creates of unknown outcome, before it is taken for a
    /// new one.</summary>
    internal const int WaitsMax = 12;

    /// <summary>How many records with the same match values are looked at; with more, nothing is guessed.</summary>
    private const int AlikeMax = 10;

    private readonly ReadLag _lag = new(sync, leg.From);

    public async Task<Step> RunAsync(Turn turn, CancellationToken cancellationToken)
    {
        var opposite = sync.CreatesFrom(leg.To);
        var ours = OriginMarks.IsOurs(turn.Change.Origin, sync.Store.Installation);
        var match = sync.Match.Of(leg.From, turn.Change.After!.Root);
        turn.Candidate = match is null || ours ? null : new Candidate(sync.Name, leg.From, turn.Change.Key, match);
        using var held = match is null ? null : await sync.MatchLocks.EnterAsync(match, cancellationToken);
        var waited = await opposite.WaitAsync(cancellationToken);
        if ((waited || !sync.Stamps.IsFresh(leg.From, turn.Change.Key, turn.Since))
            && (await sync.Store.FindLinksAsync(sync.Name, leg.From, [turn.Change.Key],
                cancellationToken))[0] is not null)
        {
            return Step.Again;
        }

        var (possibly, likely) = opposite.MayHaveMade(match);
        if (likely || (possibly && (ours || turn.Attempts < WaitsMax)))
        {
            turn.WaitingFor = "a create whose outcome is unknown: it may have made this record";
            return await recorder.WaitAsync(turn);
        }

        // A change that is read again, and an event of an unordered stream, may be older than all that is known, the
        // record's delete among it: only the record itself tells whether there is something to pair or to create.
        var ordered = sync.Connection(leg.From).Capabilities.OrderedStream;
        var mayBeGone = turn.MayBeOld || (!ordered && turn.Change.Operation != ChangeOperation.Read);
        if (mayBeGone || turn.Change.Unchanged.Count > 0)
        {
            if (await CompleteAsync(turn, match, cancellationToken) is { } otherwise)
            {
                return otherwise;
            }
        }

        if (match is not null && await PartnerAsync(turn, match, cancellationToken) is { } paired)
        {
            return paired;
        }

        if (!leg.Flows)
        {
            turn.Mutations.Add(new StateMutation.PutCandidate(new Candidate(sync.Name, leg.From, turn.Change.Key, match)));
            return await recorder.FinishAsync(turn, TimelineKind.Filtered, new TimelineDetail
            {
                Message = $"New records of side {leg.From.Letter()} are not carried over: direction.",
            });
        }

        // What was there before the first pass is known as it was at its beginning: the row may have got another key
        // since, and a partner under that. What has no ordered stream is somebody else's system, whose keys stay; a read
        // per record would cost its budget.
        if ((turn.Change.Operation == ChangeOperation.Read || leg.IsFirstPass(turn)) && ordered && !mayBeGone
            && await CompleteAsync(turn, match, cancellationToken) is { } changed)
        {
            return changed;
        }

        return await CreateAsync(turn, cancellationToken);
    }

    private async Task<Step?> PartnerAsync(Turn turn, string match, CancellationToken cancellationToken)
    {
        var others = await sync.Store.FindCandidatesAsync(sync.Name, leg.To, match, AlikeMax, cancellationToken);
        if (others.Count == 0)
        {
            return null;
        }

        if (sync.CreatesFrom(leg.From).MayHaveMade(match).Likely)
        {
            turn.WaitingFor = "a create whose outcome is unknown: it may have made the record that it matches";
            return await recorder.WaitAsync(turn);
        }

        var alike = await sync.Store.FindCandidatesAsync(sync.Name, leg.From, match, AlikeMax, cancellationToken);
        if (others.Count == 1 && alike.All(c => c.Key == turn.Change.Key))
        {
            return await PairAsync(turn, others[0].Key, cancellationToken);
        }

        // A record whose key changed is known under both keys until the news of the change comes.
        if (await CompleteAsync(turn, match, cancellationToken) is { } otherwise)
        {
            return otherwise;
        }

        var there = await StillThereAsync(leg.To, others, match, cancellationToken);
        var beside = await StillThereAsync(
            leg.From, [.. alike.Where(c => c.Key != turn.Change.Key)], match, cancellationToken);
        if (there.Count <= 1 && beside.Count == 0 && others.Count < AlikeMax && alike.Count < AlikeMax)
        {
            return await PairAsync(turn, there.FirstOrDefault(others[0].Key), cancellationToken);
        }

        await leg.Committer.CommitAsync(
            [new StateMutation.PutCandidate(new Candidate(sync.Name, leg.From, turn.Change.Key, match))]);
        if (!leg.Flows)
        {
            return await recorder.FinishAsync(turn, TimelineKind.Held,
                new TimelineDetail { Message = "Several records match." });
        }

        return await recorder.FailAsync(turn, new SyncError(
            ErrorCode.MatchAmbiguous, "Several records share the match values, so none was paired.",
            Path: string.Join(", ", sync.Model.Match.Select(m => (leg.From == Side.A ? m.A : m.B).Text)),
            Suggestion: "Make the match fields unique among the records concerned, then replay this dead letter."));
    }

    /// <summary>The keys of those that exist and still have the match values.</summary>
    private async Task<List<RecordKey>> StillThereAsync(
        Side side, IReadOnlyList<Candidate> candidates, string match, CancellationToken cancellationToken)
    {
        var there = new List<RecordKey>();
        foreach (var candidate in candidates)
        {
            var found = await sync.Connection(side).FetchAsync(sync.Stream(side), candidate.Key, cancellationToken);
            if (found is not null && sync.Match.Of(side, found.Record.Root) == match)
            {
                there.Add(candidate.Key);
            }
        }

        return there;
    }

    /// <summary>
    /// Pairs with an existing record. During the first pass the other leg comes by its image and brings the two
    /// together; later the image is fetched.
    /// </summary>
    private async Task<Step> PairAsync(Turn turn, RecordKey partner, CancellationToken cancellationToken)
    {
        var firstPass = leg.IsFirstPass(turn);
        var now = firstPass
            ? null : await sync.Connection(leg.To).FetchAsync(sync.Stream(leg.To), partner, cancellationToken);
        if (!firstPass && now is null)
        {
            if (turn.Attempts < PairFlow.PartnerWaitsMax)
            {
                turn.WaitingFor = "the record that it matches, which is not where it was";
                return await recorder.WaitAsync(turn);
            }

            await leg.Committer.CommitAsync([new StateMutation.RemoveCandidate(sync.Name, leg.To, partner)]);
            return Step.Again;
        }

        var mine = Values.Read(sync.Rules, leg.From, turn.Change.After!.Root, turn.Change.Unchanged);
        var shadow = Values.ToShadow(sync.Rules, leg.From, mine);
        var link = new Link
        {
            Id = sync.Store.NextLinkId(),
            Sync = sync.Name,
            A = leg.From == Side.A ? turn.Change.Key : partner,
            B = leg.From == Side.A ? partner : turn.Change.Key,
            ShadowA = leg.From == Side.A ? shadow : default,
            ShadowB = leg.From == Side.B ? shadow : default,
            VersionA = leg.From == Side.A ? turn.Change.SourceMicros : 0,
            VersionB = leg.From == Side.B ? turn.Change.SourceMicros : 0,
        };
        turn.Link = link;
        turn.Mutations.Add(new StateMutation.PutLink(link));
        turn.Mutations.Add(new StateMutation.RemoveCandidate(sync.Name, Side.A, link.A));
        turn.Mutations.Add(new StateMutation.RemoveCandidate(sync.Name, Side.B, link.B));
        var detail = new TimelineDetail { Fields = sync.Model.Match.Select(static m => m.A.Text), Message =
            "Paired by the match fields." };
        try
        {
            await recorder.CommitPartnerAsync(turn, partner, () =>
            {
                if (firstPass)
                {
                    return recorder.FinishAsync(turn, TimelineKind.Linked, detail);
                }

                turn.Note(sync, leg, TimelineKind.Linked, leg.From, detail);
                return leg.Committer.CommitAsync(turn.Mutations);
            });
            return firstPass ? Step.Finished : Step.Again;
        }
        catch (LinkTakenException)
        {
            if ((await sync.Store.FindLinksAsync(sync.Name, leg.To, [partner], cancellationToken))[0] is not null)
            {
                await leg.Committer.CommitAsync([new StateMutation.RemoveCandidate(sync.Name, leg.To, partner)]);
            }

            return Step.Again;
        }
    }

    private async Task<Step> CreateAsync(Turn turn, CancellationToken cancellationToken)
    {
        var values = turn.Told(sync, leg.From);
        var fields = new List<(int, FieldValue)>(sync.Rules.Count);
        for (var i = 0; i < sync.Rules.Count; i++)
        {
            var rule = sync.Rules[i];
            if (!rule.Flows(leg.From) || rule.ShadowName(leg.To).Length == 0)
            {
                continue;
            }

            var value = rule.ShadowName(leg.From).Length == 0 ? FieldValue.Absent : values[i];
            if (!rule.TryMap(leg.From, value, out var wanted, out var problem))
            {
                return await recorder.FailAsync(turn, PairFlow.Unmappable(rule.Name, problem));
            }

            if (wanted.State is FieldState.Present or FieldState.Null)
            {
                fields.Add((i, wanted));
            }
        }

        var record = Values.Build(sync.Rules, leg.To, fields);
        var mark = WriteMarks.For(sync.Store.Installation, leg.Id, leg.To, turn.Change.Key, turn.Offset, turn.Attempts,
            WriteOperation.Create, record.Utf8.Span);
        var intent =
            new Intent(leg.Id, turn.Change.Key, mark, record.Utf8, turn.Envelope, turn.Offset, sync.NowMicros());
        await leg.Committer.CommitAsync([new StateMutation.PutIntent(intent)]);
        leg.Intents[turn.Change.Key] = intent;
        return await intents.CreateAsync(turn, intent, settling: false, cancellationToken);
    }

    /// <summary>Remembers that the record is gone, so that no late change of it brings it back.</summary>
    private Task<Step> GoneAsync(Turn turn)
    {
        turn.Mutations.Add(new StateMutation.RemoveCandidate(sync.Name, leg.From, turn.Change.Key));
        if (!sync.Connection(leg.From).Capabilities.OrderedStream)
        {
            turn.Mutations.Add(new StateMutation.PutLink(new Link
            {
                Id = sync.Store.NextLinkId(),
                Sync = sync.Name,
                A = leg.From == Side.A ? turn.Change.Key : default,
                B = leg.From == Side.B ? turn.Change.Key : default,
                State = LinkState.Deleted,
            }));
        }

        return recorder.FinishAsync(turn, TimelineKind.Agreed, new TimelineDetail { Message = "The record is gone." });
    }

    /// <summary>
    /// Reads the record itself: what the change does not tell, or tells no longer. Null to go on; otherwise the record is gone, or
    /// has other match values by now.
    /// </summary>
    private async Task<Step?> CompleteAsync(Turn turn, string? match, CancellationToken cancellationToken)
    {
        var connection = sync.Connection(leg.From);
        if (await connection.FetchAsync(sync.Stream(leg.From), turn.Change.Key, cancellationToken) is not { } fetched)
        {
            return _lag.MayHide(turn) ? await _lag.WaitAsync(turn, recorder) : await GoneAsync(turn);
        }

        turn.Change = turn.Change with { After = fetched.Record, Unchanged = [] };
        turn.Envelope = Envelopes.Write(turn.Change, connection.Model);
        return sync.Match.Of(leg.From, fetched.Record.Root) == match ? null : Step.Again;
    }
}
