using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Waiting;

/// <summary>Works off the pending records of a leg in the order in which they are due. While nothing can be pending it
/// asks the store nothing.</summary>
internal sealed class PendingLoop(SyncContext sync, LegState leg, TurnRunner turns)
{
    private const int PageMax = 256;
    private static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BusyWait = TimeSpan.FromMilliseconds(20);

    private readonly HashSet<RecordKey> _running = [];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await turns.WaitUntilRunningAsync(cancellationToken);
            if (!leg.MayHavePending || await StartDueAsync(cancellationToken) == 0)
            {
                await leg.PendingDue.WaitAsync(await RestAsync(cancellationToken), sync.Clock, cancellationToken);
            }
        }
    }

    private async Task<int> StartDueAsync(CancellationToken cancellationToken)
    {
        var started = 0;
        foreach (var pending in await sync.Store.ListDueAsync(leg.Id, sync.NowMicros(), PageMax, cancellationToken))
        {
            lock (_running)
            {
                if (!_running.Add(pending.Key))
                {
                    continue;
                }
            }

            started++;
            var turn = new Turn
            {
                Change = ChangeEnvelope.Parse(pending.Key, pending.Envelope),
                Envelope = pending.Envelope,
                Offset = pending.Offset,
                MayBeOld = true,
            };
            await turns.StartAsync(turn, () => Ended(pending.Key), cancellationToken);
        }

        return started;
    }

    private void Ended(RecordKey key)
    {
        lock (_running)
        {
            _running.Remove(key);
        }
    }

    /// <summary>How long to wait for the bell: until the next record is due, or without end while none can be.</summary>
    private async ValueTask<TimeSpan> RestAsync(CancellationToken cancellationToken)
    {
        var due = leg.MayHavePending ? await leg.RefreshPendingAsync(cancellationToken) : null;
        if (due is null)
        {
            return leg.MayHavePending ? IdleMax : Timeout.InfiniteTimeSpan;
        }

        var until = TimeSpan.FromMicroseconds(Math.Max(0, due.Value - sync.NowMicros()));
        return until > IdleMax ? IdleMax : until > BusyWait ? until : BusyWait;
    }
}
