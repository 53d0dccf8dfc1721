using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.State;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Feeds;

/// <summary>One customer at run time: keeps its leg alive. A customer that fails does not slow another.</summary>
internal sealed partial class FeedRuntime(CustomerModel customer, EngineParts parts, SharedRoom room, FeedView view)
{
    private readonly ILogger _logger = parts.Loggers.CreateLogger($"Duplex.Customer.{customer.Name}");
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(30), 43);

    private volatile FeedLeg? _leg;
    private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _stop;
    private Task _running = Task.CompletedTask;

    public CustomerModel Customer { get; } = customer;

    public FeedView View { get; } = view;

    /// <summary>Pushes the feed; null when it is only polled.</summary>
    public PushRuntime? Push { get; } = customer.Push is { } push ? new PushRuntime(push, parts, room.Requests) : null;

    /// <summary>Begins; ends by <see cref="StopAsync"/> or when the engine stops.</summary>
    public void Start(CancellationToken engineStop)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(engineStop);
        _running = Task.WhenAll(
            Task.Run(() => RunAsync(_stop.Token), CancellationToken.None),
            Push is { } push ? Task.Run(() => push.RunAsync(_stop.Token), CancellationToken.None) : Task.CompletedTask);
    }

    /// <summary>Ends its life and returns when nothing of it goes on.</summary>
    public async Task StopAsync()
    {
        if (_stop is { } stop)
        {
            await stop.CancelAsync();
            await _running;
            stop.Dispose();
            _stop = null;
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var failures = 1; !cancellationToken.IsCancellationRequested; failures++)
        {
            var started = parts.Clock.GetTimestamp();
            try
            {
                View.Set(RunState.Starting);
                var leg = new FeedLeg(Customer, parts, room.Pages, View);
                _leg = leg;
                _began.TrySetResult();
                await leg.RunAsync(cancellationToken);
                return;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                failures = parts.Clock.GetElapsedTime(started) > TimeSpan.FromSeconds(30) ? 1 : failures;
                await RestAsync(FailurePolicy.ErrorOf(e, "The customer's leg"), failures, cancellationToken);
            }
        }
    }

    /// <summary>Transforms a parked change anew and appends it; false if it fails again, or was overtaken meanwhile.</summary>
    public async Task<bool> ReplayAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        using var hold = await View.Gate.HoldAsync(cancellationToken);
        return _leg is { Owns.IsCompletedSuccessfully: true } leg
            && await parts.Store.FindDeadLetterAsync(letter.Id, cancellationToken) is { } still
            && await leg.ReplayAsync(still, cancellationToken);
    }

    /// <summary>Waits until the leg can take dead letters up. Why it cannot, if it stands still or does not begin in time.</summary>
    public async Task<SyncError?> WaitForLegAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        if (View.State is { State: RunState.Blocked, Error: { } stands } && _leg?.Owns.IsCompleted != true)
        {
            return stands;
        }

        try
        {
            await _began.Task.WaitAsync(within, parts.Clock, cancellationToken);
            await _leg!.Owns.WaitAsync(within, parts.Clock, cancellationToken);
            return null;
        }
        catch (TimeoutException)
        {
            return View.State.Error ?? new SyncError(ErrorCode.StorageUnavailable, "It is still starting.");
        }
    }

    private async Task RestAsync(SyncError error, int failures, CancellationToken cancellationToken)
    {
        LogStopped(_logger, error, error.Suggestion ?? "unknown");
        try
        {
            if (FailurePolicy.For(error.Code) == FailureAction.BlockLeg)
            {
                View.Resumed.Silence();
                View.Set(RunState.Blocked, error);
                await View.Resumed.WaitAsync(Timeout.InfiniteTimeSpan, parts.Clock, cancellationToken);
                return;
            }

            View.Set(RunState.Retrying, error);
            await Task.Delay(_backoff.After(failures), parts.Clock, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The supervising loop ends by its condition.
        }
    }

    [LoggerMessage(LogLevel.Warning, "The customer's leg stopped: {Error} Fix: {Fix}")]
    private static partial void LogStopped(ILogger logger, SyncError error, string fix);
}
