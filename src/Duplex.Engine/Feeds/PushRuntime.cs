using Duplex.Engine.Delivery;
using Duplex.Engine.Push;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Feeds;

/// <summary>Keeps a customer's pusher alive; what breaks it is tried again by itself.</summary>
internal sealed partial class PushRuntime(PushModel model, EngineParts parts, PushRoom room)
{
    private readonly ILogger _logger = parts.Loggers.CreateLogger($"Duplex.Push.{model.Feed}");
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(30), 47);

    /// <summary>The pusher.</summary>
    public FeedPusher Pusher { get; } = new(
        model, new PushParts(parts.Feeds!, parts.Store, parts.Budget, parts.Clock, parts.Loggers)
        {
            Topics = parts.PushTopics,
            Room = room,
        });

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var failures = 1; !cancellationToken.IsCancellationRequested; failures++)
        {
            try
            {
                await Pusher.RunAsync(cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                LogStopped(_logger, FailurePolicy.ErrorOf(e, "Pushing"));
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(_backoff.After(failures), parts.Clock, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Pushing stopped: {Error}")]
    private static partial void LogStopped(ILogger logger, SyncError error);
}
