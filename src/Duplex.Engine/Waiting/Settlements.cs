using Duplex.Engine.Diagnostics;
using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Waiting;

/// <summary>
/// Takes up what a person decided about a conflict that waits: remembers the decision with the pair and makes the record
/// pending, in one commit. The record's turn then carries it out as it carries out every other change.
/// </summary>
internal static class Settlements
{
    /// <exception cref="SyncException">Nothing was decided: the conflict waits no longer, the sync does not run, the
    /// record is gone or cannot be read, or the given value has no form on the other side.</exception>
    public static async Task TakeUpAsync(
        SyncContext sync, Conflict conflict, Settlement settlement, CancellationToken cancellationToken)
    {
        var leg = sync.Legs[(int)settlement.Winner] ?? sync.Legs[(int)settlement.Winner.Other()]
            ?? throw Refused($"{sync.Name} does not run at the moment.", $"duplex status tells why; resolve it then.");
        RequireForm(sync, conflict.Rule, settlement);
        var key = leg.From == Side.A ? conflict.A : conflict.B;
        using var ticket = leg.Gates.Enter(key);
        await ticket.Turn;
        var fetched = await sync.Connection(leg.From).FetchAsync(sync.Stream(leg.From), key, cancellationToken)
            ?? throw Refused($"Record {key} of side {leg.From.Letter()} is gone.",
                "Its delete is on the way and settles the conflict by the sync's policy.");
        using var held = await sync.PairLocks.EnterAsync(
            (await LinkAsync(sync, leg, conflict, key, cancellationToken)).Id, cancellationToken);
        var link = await LinkAsync(sync, leg, conflict, key, cancellationToken);
        var marks = LinkMarks.Parse(link.Marks);
        marks.Settled[conflict.Rule] = settlement;
        await CommitAsync(sync, leg, link with { Marks = marks.ToUtf8() }, conflict, fetched);
    }

    private static async ValueTask<Link> LinkAsync(
        SyncContext sync, LegState leg, Conflict conflict, RecordKey key, CancellationToken cancellationToken)
    {
        var link = (await sync.Store.FindLinksAsync(sync.Name, leg.From, [key], cancellationToken))[0];
        return link is { State: LinkState.Live } && LinkMarks.Parse(link.Marks).Held.Contains(conflict.Rule)
            ? link
            : throw NotWaiting(conflict.Id);
    }

    public static SyncException NotWaiting(long id) => Refused(
        $"Conflict {id} does not wait for a person any more.", "duplex conflicts list shows how it was decided.");

    private static async Task CommitAsync(
        SyncContext sync, LegState leg, Link link, Conflict conflict, FetchedRecord fetched)
    {
        var now = sync.NowMicros();
        var change = new Change
        {
            Operation = ChangeOperation.Read,
            Stream = sync.Stream(leg.From),
            Key = fetched.Key,
            After = fetched.Record,
            SourceMicros = fetched.AtMicros,
            Position = "resolve",
        };
        var waiting = (await sync.Store.FindPendingAsync(leg.Id, [fetched.Key], CancellationToken.None))[0];

        // Below every offset of the log, so that whatever comes by the log is younger, and one of its own for every conflict, so
        // that the same value decided twice is written twice.
        var pending = waiting is null
            ? new Pending(leg.Id, fetched.Key, Envelopes.Write(change, sync.Connection(leg.From).Model), -conflict.Id,
                now, 0, now, null)
            : waiting with { DueMicros = now };
        await leg.CommitPendingAsync(() => leg.Committer.CommitAsync(
        [
            new StateMutation.PutLink(link),
            new StateMutation.PutPending(pending),
            new StateMutation.AddTimeline(new TimelineEvent(
                sync.Name, link.A, link.B, now, TimelineKind.Replayed, leg.From,
                new TimelineDetail { Fields = [conflict.Rule], Message = "A person decided the conflict." }
                    .ToUtf8(change))),
        ]));
    }

    /// <summary>A given value is written to both sides, so it must have a form on both.</summary>
    private static void RequireForm(SyncContext sync, string name, Settlement settlement)
    {
        if (settlement.Given is not { } given)
        {
            return;
        }

        var rule = sync.Rules.FirstOrDefault(r => r.Name == name)
            ?? throw Refused($"The mapping has no rule {name} any more.", "Nothing is left to decide.");
        if (!Both(rule.Flows) || !Both(sync.Model.Flows))
        {
            throw Refused($"{name} goes one way only, so that no third value can be given.", "Choose a or b.");
        }

        if (!rule.TryMap(settlement.Winner, given, out _, out var problem))
        {
            throw new SyncException(PairFlow.Unmappable(name, problem) with
            {
                Suggestion = $"Give a value as side {settlement.Winner.Letter()} writes it.",
            });
        }
    }

    private static bool Both(Func<Side, bool> flows) => flows(Side.A) && flows(Side.B);

    private static SyncException Refused(string message, string suggestion) =>
        new(ErrorCode.ConflictManual, message, suggestion);
}
