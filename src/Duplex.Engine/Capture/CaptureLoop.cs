using Duplex.Engine.Connections;
using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.Waiting;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Capture;

/// <summary>
/// Carries one connection's changes into the log: checks the connection, reads its source from the log's position,
/// appends, and only then confirms. What passes by itself is tried again; what needs a person is shown and looked at
/// again now and then.
/// </summary>
internal sealed partial class CaptureLoop : IAsyncDisposable
{
    private static readonly TimeSpan RecheckEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromSeconds(30);

    private readonly ConnectionRuntime _connection;
    private readonly IReadOnlyList<StreamUse> _uses;
    private readonly EngineParts _parts;
    private readonly IRecordSource? _source;
    private readonly ILogger _logger;
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(15), 31);
    private readonly Bell _asked = new();
    private readonly SemaphoreSlim _webhooks = new(256);
    private readonly Lock _lock = new();
    private CancellationTokenSource? _reading;
    private TaskCompletionSource<bool>? _resnapshot;
    private RunState _state = RunState.Starting;
    private SyncError? _error;
    private DateTimeOffset? _nextAttemptAt;
    private DateTimeOffset? _lastAppendAt;
    private Position? _position;
    private long _appended;
    private volatile bool _startsAnew;
    private int _announced;
    private bool _ended;

    public CaptureLoop(ConnectionRuntime connection, IReadOnlyList<StreamUse> uses, EngineParts parts)
    {
        _connection = connection;
        _uses = uses;
        _parts = parts;
        _logger = parts.Loggers.CreateLogger($"Duplex.Capture.{connection.Model.Name}");
        var reads = uses.Where(static u => u.Reads).Select(static u => u.Stream).ToArray();
        _source = reads.Length == 0 ? null : connection.Model.Connector.OpenSource(connection.Context, reads);
    }

    /// <summary>Whether every stream's existing records are in the log, and no fresh start is asked for.</summary>
    public bool SnapshotComplete
    {
        get
        {
            lock (_lock)
            {
                return _source is null || (_announced == 0 && _resnapshot is null && !_startsAnew
                    && _source.State.Phase == SourcePhase.Streaming);
            }
        }
    }

    public ConnectionRuntime Connection => _connection;

    /// <summary>How it stands.</summary>
    public ConnectionStatus Status()
    {
        lock (_lock)
        {
            var lane = _connection.Lane.Obstacle;
            var model = _connection.Model;
            var source = _source?.State;
            var state = (_state, source?.Phase) switch
            {
                (RunState.Running, SourcePhase.Starting) => RunState.Starting,
                (RunState.Running, SourcePhase.Snapshot) => RunState.FirstSync,
                _ => _state,
            };
            return new ConnectionStatus(
                model.Tenant, model.Name, model.Connector.Spec.Name,
                _error is null && lane is not null ? LaneState(lane) : state,
                _position?.ToString(), source, _lastAppendAt, _appended, _error ?? lane,
                _error is null ? _connection.Lane.NextProbeAt : _nextAttemptAt);
        }
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ReadUntilStoppedAsync(cancellationToken);
        }
        finally
        {
            TaskCompletionSource<bool>? asked;
            lock (_lock)
            {
                _ended = true;
                (asked, _resnapshot) = (_resnapshot, null);
            }

            asked?.TrySetException(Stopped());
        }
    }

    private async Task ReadUntilStoppedAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            lock (_lock)
            {
                _reading = reading;
            }

            var started = _parts.Clock.GetTimestamp();
            var stood = _position;
            try
            {
                await ResnapshotIfAskedAsync(cancellationToken);
                await CheckAsync(reading.Token);
                await ReadAsync(reading.Token);
            }
            catch (OperationCanceledException) when (reading.IsCancellationRequested)
            {
                continue;
            }
            catch (Exception e)
            {
                var moved = stood is not null && _position != stood;
                failures = moved || _parts.Clock.GetElapsedTime(started) > HealthyAfter ? 1 : failures + 1;
                await PauseAsync(e, failures, cancellationToken);
            }
            finally
            {
                lock (_lock)
                {
                    _reading = null;
                }
            }
        }
    }

    /// <summary>Starts the streams anew from a fresh snapshot; false if none is read.</summary>
    /// <param name="announce">Makes durable what is to follow the snapshot. It is not complete from before that on.</param>
    /// <param name="cancellationToken">Nobody waits for it any more.</param>
    /// <exception cref="SyncException">Reading has ended, or the source refuses.</exception>
    public async ValueTask<bool> ResnapshotAsync(Func<Task> announce, CancellationToken cancellationToken)
    {
        if (_source is null)
        {
            return false;
        }

        lock (_lock)
        {
            _announced++;
        }

        Task<bool> started;
        try
        {
            await announce();
            started = Ask();
        }
        finally
        {
            lock (_lock)
            {
                _announced--;
            }
        }

        return await started.WaitAsync(cancellationToken);
    }

    private Task<bool> Ask()
    {
        TaskCompletionSource<bool> asked;
        lock (_lock)
        {
            if (_ended)
            {
                throw Stopped();
            }

            asked = _resnapshot ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            _reading?.Cancel();
        }

        _asked.Ring();
        return asked.Task;
    }

    private SyncException Stopped() => new(new SyncError(
        ErrorCode.SourceUnavailable, $"Reading {_connection.Id} has stopped.",
        Suggestion: "Ask for the snapshot again when it runs."));

    /// <summary>Takes a webhook; returns when it is durable or refused.</summary>
    public async ValueTask<(int Status, string? Reason)> ReceiveAsync(
        WebhookDelivery delivery, CancellationToken cancellationToken)
    {
        if (_source is not IWebhookSource webhooks)
        {
            return (404, "The connection takes no webhooks.");
        }

        if (_parts.Log.Obstacle is { } obstacle)
        {
            return (503, obstacle.Message);
        }

        if (!await _webhooks.WaitAsync(TimeSpan.Zero, cancellationToken))
        {
            return (503, "Too many deliveries are being stored; send it again a little later.");
        }

        try
        {
            var verdict = await webhooks.ReceiveAsync(delivery, cancellationToken);
            using var batch = verdict.Batch;
            if (batch is { Count: > 0 })
            {
                await AppendAsync(batch, cancellationToken);
            }

            return (verdict.Status, verdict.Reason);
        }
        catch (SyncException e)
        {
            return (503, e.Error.Message);
        }
        finally
        {
            _webhooks.Release();
        }
    }

    /// <summary>Looks at the connection without starting anything.</summary>
    public async Task<IReadOnlyList<Finding>> CheckOnlyAsync(CancellationToken cancellationToken) =>
        [.. (await _connection.Model.Connector.CheckAsync(_connection.Context, _uses, cancellationToken)).Distinct()];

    public async ValueTask DisposeAsync()
    {
        if (_source is not null)
        {
            await _source.DisposeAsync();
        }
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        var findings = await _connection.Model.Connector.CheckAsync(_connection.Context, _uses, cancellationToken);
        var errors = findings.Where(static f => f.Severity == FindingSeverity.Error).ToArray();
        if (errors.Length > 0)
        {
            throw new SyncException(new SyncError(
                CheckCode(errors), string.Join(" ", errors.Select(static f => f.Message).Distinct()),
                Path: $"/connections/{_connection.Model.Name}",
                Suggestion: string.Join(" ", errors.Select(static f => f.Suggestion)
                    .Where(static s => s is not null).Distinct())));
        }
    }

    /// <summary>A system that only cannot be reached comes back by itself; everything else needs a person.</summary>
    private static ErrorCode CheckCode(Finding[] errors)
    {
        if (errors.All(static f => f.Code.Contains("unavailable", StringComparison.Ordinal)
            || f.Code.Contains("unreachable", StringComparison.Ordinal)))
        {
            return ErrorCode.SourceUnavailable;
        }

        return errors.Any(static f => f.Code.Contains("unauthorized", StringComparison.Ordinal)
            || f.Code.Contains("credentials", StringComparison.Ordinal))
            ? ErrorCode.SourceUnauthorized
            : ErrorCode.SourceMisconfigured;
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        if (_source is null)
        {
            Set(RunState.Running);
            await Task.Delay(Timeout.InfiniteTimeSpan, _parts.Clock, cancellationToken);
            return;
        }

        var position = await _parts.Log.ReadPositionAsync(_connection.Id, cancellationToken);
        Set(RunState.Running, position: position);
        await foreach (var batch in _source.ReadAsync(position, cancellationToken).WithCancellation(cancellationToken))
        {
            using (batch)
            {
                await AppendAsync(batch, cancellationToken);
                _startsAnew = false;
                if (batch.Position is { } moved)
                {
                    await _source.ConfirmAsync(moved, cancellationToken);
                    Set(RunState.Running, position: moved);
                }
            }
        }

        throw new SyncException(ErrorCode.SourceUnavailable, "The source ended its stream.");
    }

    /// <summary>Appends. What the log has no room for throws and is read again later: nothing of it is confirmed, so
    /// the source holds its history.</summary>
    private async Task AppendAsync(ChangeBatch batch, CancellationToken cancellationToken)
    {
        var outcome = await _parts.Log.AppendAsync(_connection.Id, batch, _connection.TopicOf, cancellationToken);
        if (outcome.Appended > 0)
        {
            lock (_lock)
            {
                _appended += outcome.Appended;
                _lastAppendAt = _parts.Clock.GetUtcNow();
            }
        }
    }

    private async Task ResnapshotIfAskedAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource<bool>? asked;
        lock (_lock)
        {
            asked = _resnapshot;
        }

        if (asked is null || _source is null)
        {
            return;
        }

        try
        {
            var saved = await _parts.Log.ReadPositionAsync(_connection.Id, cancellationToken);
            var anew = await _source.ResnapshotAsync(saved, cancellationToken);
            using var batch = new ChangeBatch(64) { Position = anew };
            await _parts.Log.AppendAsync(_connection.Id, batch, _connection.TopicOf, cancellationToken);
            _startsAnew = true;
            asked.TrySetResult(true);
        }
        catch (Exception e)
        {
            asked.TrySetException(e);
            throw;
        }
        finally
        {
            lock (_lock)
            {
                _resnapshot = null;
            }
        }
    }

    private async Task PauseAsync(Exception e, int failures, CancellationToken cancellationToken)
    {
        var error = FailurePolicy.ErrorOf(e, "Reading the source");
        var byItself = FailurePolicy.PassesByItself(error.Code);
        var wait = byItself ? _backoff.After(failures, error.RetryAfter) : RecheckEvery;
        Set(byItself ? RunState.Retrying : RunState.Blocked, error, _parts.Clock.GetUtcNow() + wait);
        LogStopped(_logger, error, error.Suggestion ?? "unknown");
        try
        {
            await _asked.WaitAsync(wait, _parts.Clock, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The loop ends by its condition.
        }
    }

    private void Set(
        RunState state, SyncError? error = null, DateTimeOffset? nextAttemptAt = null, Position? position = null)
    {
        lock (_lock)
        {
            _state = state;
            _error = error;
            _nextAttemptAt = nextAttemptAt;
            _position = position ?? _position;
        }
    }

    private static RunState LaneState(SyncError error) =>
        FailurePolicy.For(error.Code) == FailureAction.BlockConnection ? RunState.Blocked : RunState.Retrying;

    [LoggerMessage(LogLevel.Warning, "Capture stopped: {Error} Fix: {Fix}")]
    private static partial void LogStopped(ILogger logger, SyncError error, string fix);
}
