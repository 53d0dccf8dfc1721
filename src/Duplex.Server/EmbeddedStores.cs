using Duplex.DynamoDb;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Feeds;
using Duplex.Engine.Log;
using Duplex.Engine.Secrets;
using Duplex.Engine.State;
using Duplex.Kafka;
using Duplex.Kafka.Pushing;
using Duplex.Sdk;
using Duplex.Storage.Embedded;
using Duplex.Storage.Embedded.Log;
using Duplex.Storage.Embedded.State;
using Microsoft.Extensions.Logging;

namespace Duplex.Server;

/// <summary>
/// The state store and, unless they are elsewhere, the change log and the feeds in one data directory, which belongs to
/// this process while they are open.
/// </summary>
public sealed class EmbeddedStores : IAsyncDisposable
{
    private readonly KafkaPushes _topics;

    private EmbeddedStores(IChangeLog log, IStateStore state, IFeedStore feeds, ILoggerFactory loggers)
    {
        Log = log;
        State = state;
        Feeds = feeds;
        _topics = new KafkaPushes(log as KafkaChangeLog, loggers);
    }

    /// <summary>The change log.</summary>
    public IChangeLog Log { get; }

    /// <summary>The state store.</summary>
    public IStateStore State { get; }

    /// <summary>The feeds.</summary>
    public IFeedStore Feeds { get; }

    /// <summary>Completes when one of the stores will take nothing more in this process.</summary>
    public Task<SyncError> Failed => Task.WhenAny(Log.Failed, State.Failed, Feeds.Failed).Unwrap();

    /// <summary>Opens, and where need be creates, the stores of a model.</summary>
    /// <exception cref="SyncException">Another process has the directory, or what it holds cannot be read.</exception>
    public static async Task<EmbeddedStores> OpenAsync(
        EngineModel model, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        var options = new EmbeddedOptions { Clock = clock, Loggers = loggers };
        var opened = new Stack<IAsyncDisposable>();
        try
        {
            var state = await EmbeddedStateStore.OpenAsync(model.DataDirectory, options, cancellationToken)
                .ConfigureAwait(false);
            opened.Push(state);
            var feeds = await OpenFeedsAsync(model, options, cancellationToken).ConfigureAwait(false);
            opened.Push(feeds);
            // The log is opened last: a log on Kafka is taken over from whoever has it, and while another process has the
            // data directory it stays with that one.
            return new EmbeddedStores(
                await OpenLogAsync(model, options, cancellationToken).ConfigureAwait(false), state, feeds, loggers);
        }
        catch
        {
            while (opened.TryPop(out var store))
            {
                await store.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    private static async Task<IChangeLog> OpenLogAsync(
        EngineModel model, EmbeddedOptions options, CancellationToken cancellationToken) =>
        model.Log.Kafka is not { } kafka
            ? await EmbeddedChangeLog.OpenAsync(model.DataDirectory, options, cancellationToken).ConfigureAwait(false)
            : await KafkaChangeLog.OpenAsync(
                new KafkaLogOptions
                {
                    Bootstrap = kafka.Bootstrap,
                    Prefix = kafka.Prefix,
                    Replicas = kafka.Replicas,
                    Compression = kafka.Compression,
                    BrokerRetention = kafka.BrokerRetention,
                    AppendWithin = kafka.AppendWithin,
                    DeliveriesMax = kafka.DeliveriesMax,
                    Properties = kafka.Properties,
                    Clock = options.Clock,
                    Loggers = options.Loggers,
                }, cancellationToken).ConfigureAwait(false);

    private static async Task<IFeedStore> OpenFeedsAsync(
        EngineModel model, EmbeddedOptions options, CancellationToken cancellationToken) => model.Feeds is { } feeds
        ? await DynamoDbFeedStore.OpenAsync(new DynamoDbFeedOptions
        {
            Region = feeds.Region,
            Endpoint = feeds.Endpoint,
            TablePrefix = feeds.TablePrefix,
            AccessKey = feeds.AccessKey,
            SecretKey = feeds.SecretKey,
            Clock = options.Clock,
        }, cancellationToken).ConfigureAwait(false)
        : await EmbeddedFeedStore.OpenAsync(model.DataDirectory, options, cancellationToken).ConfigureAwait(false);

    /// <summary>What an engine of the model runs on.</summary>
    public EngineParts Parts(EngineModel model, TimeProvider clock, ILoggerFactory loggers) =>
        new(model, Log, State, new RateBudget(clock), clock, loggers)
        {
            Feeds = Feeds,
            Secrets = new EmbeddedSecretStore(model.DataDirectory),
            PushTopics = _topics.Open,
        };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _topics.DisposeAsync().ConfigureAwait(false);
        await Log.DisposeAsync().ConfigureAwait(false);
        await State.DisposeAsync().ConfigureAwait(false);
        await Feeds.DisposeAsync().ConfigureAwait(false);
    }
}
