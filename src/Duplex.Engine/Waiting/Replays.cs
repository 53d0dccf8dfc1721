using Duplex.Engine.Diagnostics;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Waiting;

/// <summary>Takes dead letters up again.</summary>
internal static class Replays
{
    /// <summary>Makes the letter a pending record that is due now; one that waits already keeps its (younger)
    /// change.</summary>
    public static async Task TakeUpAsync(SyncContext sync, LegState leg, DeadLetter letter)
    {
        var ticket = leg.Gates.Enter(letter.Key);
        await ticket.Turn;
        try
        {
            var now = sync.NowMicros();
            var mutations = new List<StateMutation> { new StateMutation.RemoveDeadLetter(letter.Leg, letter.Key) };
            if ((await sync.Store.FindPendingAsync(letter.Leg, [letter.Key], CancellationToken.None))[0] is null)
            {
                mutations.Add(new StateMutation.PutPending(new Pending(
                    letter.Leg, letter.Key, letter.Envelope, letter.Offset, now, 0, letter.AtMicros, letter.Error)));
            }

            var change = ChangeEnvelope.Parse(letter.Key, letter.Envelope);
            mutations.Add(new StateMutation.AddTimeline(new TimelineEvent(
                sync.Name, leg.From == Side.A ? letter.Key : default, leg.From == Side.B ? letter.Key : default, now,
                TimelineKind.Replayed, leg.From, new TimelineDetail { Attempt = letter.Attempts }.ToUtf8(change))));
            await leg.CommitPendingAsync(() => leg.Committer.CommitAsync(mutations));
        }
        finally
        {
            ticket.Dispose();
        }
    }
}
