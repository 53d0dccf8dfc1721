using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Waiting;

/// <summary>Works off the pending records of a leg in the order in which they are due.</summary>
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
            var started = await StartDueAsync(cancellationToken);
            if (started > 0)
            {
                continue;
            }

            await leg.RefreshPendingAsync(cancellationToken);
            await IdleAsync(cancellationToken);
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

    private async Task IdleAsync(CancellationToken cancellationToken)
    {
        var wait = IdleMax;
        if (await sync.Store.NextDueAsync(leg.Id, cancellationToken) is { } due)
        {
            var until = TimeSpan.FromMicroseconds(Math.Max(0, due - sync.NowMicros()));
            wait = until < IdleMax ? until : IdleMax;
            wait = wait > BusyWait ? wait : BusyWait;
        }

        await leg.PendingDue.WaitAsync(wait, sync.Clock, cancellationToken);
    }
}
