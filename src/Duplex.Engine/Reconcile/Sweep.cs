using Duplex.Engine.Links;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Reconcile;

/// <summary>
/// Finds linked records that went away while nobody watched: a fresh snapshot shows what is there, not what is gone.
/// Each missing record becomes a delete that its leg decides about like any other.
/// </summary>
internal sealed class Sweep(SyncContext sync, Side side)
{
    private const int PageMax = 200;

    /// <summary>The name of the stored mark that asks for a sweep.</summary>
    public static string MarkOf(string sync, Side side) => $"sweep:{sync}:{side.Letter()}";

    /// <summary>Looks at every live link; the number of records that are gone.</summary>
    public async Task<long> RunAsync(LegState leg, CancellationToken cancellationToken)
    {
        long gone = 0;
        long after = 0;
        while (await sync.Store.ListLinksAsync(sync.Name, after, PageMax, cancellationToken) is { Count: > 0 } links)
        {
            after = links[^1].Id;
            var live = links.Where(l => l.State == LinkState.Live && !l.Key(side).IsEmpty && !FormerKeys.Is(l.Key(side))).ToArray();
            var keys = live.Select(l => l.Key(side)).ToArray();
            var found = keys.Length == 0
                ? []
                : await sync.Connection(side).Reader.FetchAsync(sync.Stream(side), keys, cancellationToken);
            var missing = keys.Where((_, i) => found[i] is null).ToArray();
            if (missing.Length > 0)
            {
                gone += missing.Length;
                await leg.CommitPendingAsync(() => leg.Committer.CommitAsync([.. missing.Select(Delete)]));
            }
        }

        return gone;
    }

    private StateMutation Delete(RecordKey key)
    {
        var now = sync.NowMicros();
        var envelope = Envelopes.Write(new Change
        {
            Operation = ChangeOperation.Delete,
            Stream = sync.Stream(side),
            Key = key,
            SourceMicros = now,
            Position = "sweep",
        }, sync.Connection(side).Model);

        // The turn looks once more, when a read that lagged has caught up.
        var due = now + (long)sync.Connection(side).Capabilities.ReadLagMax.TotalMicroseconds;
        return new StateMutation.PutPending(new Pending(sync.Leg(side), key, envelope, 0, due, 0, now, null));
    }
}
