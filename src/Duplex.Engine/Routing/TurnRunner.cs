using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>
/// Runs the turns of a leg: many records at once within a window, one record's turns one after another. After a fault
/// nothing more is started, so that no later change of a record overtakes the one that failed.
/// </summary>
internal sealed class TurnRunner(LegState leg, RecordFlow flow, int window, CancellationToken stopNow) : IDisposable
{
    private readonly SemaphoreSlim _room = new(window);
    private readonly TaskCompletionSource<Exception> _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource? _paused;

    /// <summary>Completes with what stopped the leg.</summary>
    public Task<Exception> Fault => _fault.Task;

    /// <summary>Holds new turns back, or lets them go.</summary>
    public void Pause(bool paused)
    {
        if (paused)
        {
            _paused ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        else
        {
            var waiting = _paused;
            _paused = null;
            waiting?.TrySetResult();
        }
    }

    public Task WaitUntilRunningAsync(CancellationToken cancellationToken) =>
        _paused is { } paused ? paused.Task.WaitAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Takes the record's place in line and starts the turn when it comes. Waits only for room in the
    /// window.</summary>
    public async Task StartAsync(Turn turn, Action? ended, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken);
        var ticket = leg.Gates.Enter(turn.Change.Key, turn.Change.PreviousKey);
        _ = RunAsync(turn, ticket, ended);
    }

    /// <summary>Waits until no turn is under way.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        var taken = 0;
        try
        {
            for (; taken < window; taken++)
            {
                await _room.WaitAsync(cancellationToken);
            }
        }
        finally
        {
            if (taken > 0)
            {
                _room.Release(taken);
            }
        }
    }

    public void Dispose() => _room.Dispose();

    private async Task RunAsync(Turn turn, Links.KeyGates.Ticket ticket, Action? ended)
    {
        try
        {
            await ticket.Turn;
            if (!_fault.Task.IsCompleted && !stopNow.IsCancellationRequested)
            {
                leg.Counters.Add(LegCounters.Outcome.Seen);
                await flow.RunAsync(turn, stopNow);
            }
        }
        catch (OperationCanceledException) when (stopNow.IsCancellationRequested)
        {
            // Not recorded: the change is read again at the next start.
        }
        catch (Exception e)
        {
            _fault.TrySetResult(e);
        }
        finally
        {
            ended?.Invoke();
            ticket.Dispose();
            _room.Release();
        }
    }
}
