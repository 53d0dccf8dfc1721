using Duplex.Engine.Connections;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Delivery;

/// <summary>
/// The way to one connection's sink: sends at once while the sink takes more requests in parallel, batches what waits
/// meanwhile, bisects rejected batches, and holds everything back while the sink is down or refuses our credentials,
/// letting one write at a time through to probe.
/// </summary>
internal sealed partial class Lane : IAsyncDisposable
{
    private const int FailuresToOpen = 5;

    private readonly IRecordSink _sink;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _probe = new(1);
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(30), 17);
    private readonly Funnel<Job> _funnel;
    private volatile SyncError? _obstacle;
    private int _failures;

    public Lane(IRecordSink sink, ConnectorCapabilities capabilities, TimeProvider clock, ILogger logger)
    {
        _sink = sink;
        _clock = clock;
        _logger = logger;
        _funnel = new Funnel<Job>(capabilities.Parallelism, capabilities.BatchMax,
            static (first, next) => first.Request.Stream == next.Request.Stream,
            batch => _obstacle is null ? SendAsync(batch) : SendWhenOpenAsync(batch),
            static job => job.Done.TrySetCanceled());
    }

    /// <summary>Why writes are held back; null while they flow.</summary>
    public SyncError? Obstacle => _obstacle;

    /// <summary>When the next write is let through to probe; null while writes flow.</summary>
    public DateTimeOffset? NextProbeAt { get; private set; }

    /// <summary>Hands a write over and completes with its outcome. Failures are outcomes; only a stop throws.</summary>
    public Task<WriteOutcome> WriteAsync(WriteRequest request, CancellationToken cancellationToken)
    {
        var job = new Job(request,
            new TaskCompletionSource<WriteOutcome>(TaskCreationOptions.RunContinuationsAsynchronously));
        _funnel.Add(job);
        return job.Done.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _funnel.DisposeAsync();
        _stop.Dispose();
        _probe.Dispose();
    }

    private async Task SendWhenOpenAsync(List<Job> batch)
    {
        await _probe.WaitAsync(_stop.Token);
        try
        {
            if (_obstacle is { } obstacle)
            {
                var wait = _backoff.After(Math.Max(1, _failures - FailuresToOpen + 1), obstacle.RetryAfter);
                NextProbeAt = _clock.GetUtcNow() + wait;
                await Task.Delay(wait, _clock, _stop.Token);
                await ProbeAsync(batch);
                return;
            }
        }
        finally
        {
            _probe.Release();
        }

        await SendAsync(batch);
    }

    /// <summary>Sends one request of the batch; the rest goes back to the queue unless it got through.</summary>
    private async Task ProbeAsync(List<Job> batch)
    {
        await SendAsync(batch[..1]);
        if (_obstacle is null)
        {
            await SendAsync(batch[1..]);
            return;
        }

        _funnel.PutBack(batch[1..]);
    }

    private async Task SendAsync(List<Job> batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        IReadOnlyList<WriteOutcome> outcomes;
        try
        {
            outcomes = await _sink.WriteAsync([.. batch.Select(static j => j.Request)], _stop.Token);
        }
        catch (Exception e) when (e is not OperationCanceledException || !_stop.IsCancellationRequested)
        {
            var error = FailurePolicy.ErrorOf(e, "Writing to the sink");
            LogSinkThrew(_logger, e);
            outcomes = [.. batch.Select(_ => WriteOutcome.Failure(error))];
        }

        Observe(outcomes);
        if (Settle(batch, outcomes) is not { } innocent)
        {
            return;
        }

        if (innocent.Count < batch.Count)
        {
            await SendAsync(innocent);
        }
        else
        {
            await SendAsync(innocent[..(innocent.Count / 2)]);
            await SendAsync(innocent[(innocent.Count / 2)..]);
        }
    }

    /// <summary>Reports outcomes, and returns the requests that were not tried because of another one, which are sent
    /// again, in halves if need be; null for none.</summary>
    private static List<Job>? Settle(List<Job> batch, IReadOnlyList<WriteOutcome> outcomes)
    {
        List<Job>? innocent = null;
        for (var i = 0; i < batch.Count; i++)
        {
            if (outcomes[i].Status != WriteStatus.NotTried)
            {
                batch[i].Done.TrySetResult(outcomes[i]);
            }
            else if (batch.Count == 1)
            {
                batch[i].Done.TrySetResult(outcomes[i] with { Status = WriteStatus.Failed });
            }
            else
            {
                (innocent ??= []).Add(batch[i]);
            }
        }

        return innocent;
    }

    private void Observe(IReadOnlyList<WriteOutcome> outcomes)
    {
        foreach (var outcome in outcomes)
        {
            var code = outcome.Error?.Code;
            if (code is ErrorCode.SinkUnavailable or ErrorCode.SinkUnauthorized)
            {
                if (++_failures >= FailuresToOpen || code == ErrorCode.SinkUnauthorized)
                {
                    if (_obstacle is null)
                    {
                        LogHeldBack(_logger, outcome.Error!);
                    }

                    _obstacle = outcome.Error;
                }
            }
            else if (outcome.Status != WriteStatus.NotTried)
            {
                _failures = 0;
                NextProbeAt = null;
                if (_obstacle is not null)
                {
                    LogFlowing(_logger);
                }

                _obstacle = null;
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Writes are held back: {Error}")]
    private static partial void LogHeldBack(ILogger logger, SyncError error);

    [LoggerMessage(LogLevel.Information, "Writes flow again.")]
    private static partial void LogFlowing(ILogger logger);

    [LoggerMessage(LogLevel.Error, "The sink threw.")]
    private static partial void LogSinkThrew(ILogger logger, Exception exception);

    private sealed record Job(WriteRequest Request, TaskCompletionSource<WriteOutcome> Done);
}
