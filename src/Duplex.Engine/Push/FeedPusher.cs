using Duplex.Engine.Delivery;
using Duplex.Engine.Feeds;
using Duplex.Engine.Waiting;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Push;

/// <summary>
/// Pushes a customer's feed to its endpoint as signed webhooks, or to a topic. Records of one key go one after the other, each once the one
/// before it is dealt with and that is on disk; different keys go in parallel. A record that fails is tried again by its
/// schedule and delays its own key alone. What was sent is known after a crash but for what was under way, which is sent
/// again under the same id. <see cref="RunAsync"/> is called once; the other members from any thread meanwhile.
/// </summary>
public sealed partial class FeedPusher
{
    /// <summary>The consumer under which the position is stored in the feed.</summary>
    public const string Consumer = "push";

    private const int ResendsMax = 1000;
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(3);

    private readonly PushModel _model;
    private readonly PushParts _parts;
    private readonly ILogger _logger;
    private readonly Bell _bell = new();
    private readonly PushCommands _commands;
    private readonly Backoff _storeBackoff = new(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(15), 53);
    private PushRun? _run;
    private SyncError? _storage;

    /// <summary>A pusher of one feed to one endpoint.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.ConfigInvalid"/>: the model has
    /// <see cref="PushModel.Faults"/>.</exception>
    public FeedPusher(PushModel model, PushParts parts)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(parts);
        if (model.Faults() is [var fault, ..])
        {
            throw new SyncException(fault);
        }

        _model = model;
        _parts = parts;
        _commands = new PushCommands(_bell);
        _logger = parts.Loggers.CreateLogger($"Duplex.Push.{model.Feed}");
    }

    /// <summary>How it stands.</summary>
    public PushStatus Status => Volatile.Read(ref _run)?.Status(Volatile.Read(ref _storage))
        ?? PushStatus.Of(_model.Feed, PushState.Stopped, null);

    /// <summary>Enables the endpoint: what waits is due at once and its schedule begins anew. Completes when that is on
    /// disk; waits while the pusher is not running.</summary>
    public Task EnableAsync(CancellationToken cancellationToken) =>
        _commands.AskAsync(static (run, stop) => run.EnableAsync(stop), cancellationToken);

    /// <summary>Disables the endpoint until it is enabled. Requests under way end.</summary>
    public Task DisableAsync(string reason, CancellationToken cancellationToken) =>
        _commands.AskAsync((run, stop) => run.DisableAsync(reason, stop), cancellationToken);

    /// <summary>
    /// Sends a record again under its id, whatever became of it: at once if it waits for another attempt, otherwise after
    /// what waits of its key.
    /// </summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.SourceGap"/>: the record is not stored.
    /// <see cref="ErrorCode.BrakeEngaged"/>: too many are being sent again.</exception>
    public Task ResendAsync(long offset, CancellationToken cancellationToken) =>
        _commands.AskAsync((run, stop) => run.ResendAsync(offset, ResendsMax, stop), cancellationToken);

    /// <summary>Pushes until it is cancelled; then lets requests under way end for a few seconds.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageFenced"/>: another process pushes the feed. Any other
    /// storage code that does not pass by itself.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var run = new PushRun(_model, _parts, _bell, _logger);
        try
        {
            await OpenAsync(run, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _run, run);
            await LoopAsync(run, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        finally
        {
            await run.StopAsync(StopPatience).ConfigureAwait(false);
            Volatile.Write(ref _run, null);
        }
    }

    private Task OpenAsync(PushRun run, CancellationToken cancellationToken) =>
        GuardedAsync(run.OpenAsync, cancellationToken);

    private async Task LoopAsync(PushRun run, CancellationToken cancellationToken)
    {
        while (true)
        {
            await GuardedAsync(
                async stop =>
                {
                    await run.SettleAsync(stop).ConfigureAwait(false);
                    await _commands.RunAsync(run, stop).ConfigureAwait(false);
                    await run.AdvanceAsync(stop).ConfigureAwait(false);
                },
                cancellationToken).ConfigureAwait(false);
            await _bell.WaitAsync(run.Idle(), _parts.Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Does a piece of work again until the stores let it through.</summary>
    private async Task GuardedAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        for (var failed = 1; ; failed++)
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                await work(cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _storage, null);
                return;
            }
            catch (SyncException e) when (e.Error.Code is ErrorCode.StorageFull or ErrorCode.SinkUnavailable
                or ErrorCode.SinkRateLimited or ErrorCode.SourceUnavailable)
            {
                if (failed == 1)
                {
                    Log.StoreFailed(_logger, _model.Feed, e.Error.ToString());
                }

                Volatile.Write(ref _storage, e.Error);
            }

            await Task.Delay(_storeBackoff.After(failed), _parts.Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Pushing {Feed} waits for its store: {Error}")]
        public static partial void StoreFailed(ILogger logger, string feed, string error);
    }
}
