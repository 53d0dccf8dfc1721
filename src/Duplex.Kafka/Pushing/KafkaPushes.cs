using System.Collections.Concurrent;
using Duplex.Engine.Config;
using Duplex.Engine.Push;
using Microsoft.Extensions.Logging;

namespace Duplex.Kafka.Pushing;

/// <summary>Makes what pushes feeds to topics. Customers on the same brokers share a producer. Disposed after the pushers.</summary>
/// <param name="log">The change log, whose topics nothing is pushed to; null if it is not on Kafka.</param>
/// <param name="loggers">Where the client's own complaints go.</param>
public sealed class KafkaPushes(KafkaChangeLog? log, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(KafkaModel Kafka, TimeSpan Within), SharedProducer> _producers = new();

    /// <summary>The way to a topic. Nothing is connected before the first record.</summary>
    public IPushTransport Open(PushModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var topic = model.Topic ?? throw new ArgumentException("It is pushed to no topic.", nameof(model));
        var producer = _producers.GetOrAdd((topic.Kafka, model.Timeout), key => new SharedProducer(new KafkaLogOptions
        {
            Bootstrap = key.Kafka.Bootstrap,
            Replicas = key.Kafka.Replicas,
            Compression = key.Kafka.Compression,
            Properties = key.Kafka.Properties,
            Loggers = loggers,
        }, key.Within));
        return new TopicTransport(topic, producer, name => log?.Owns(name) == true);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var producer in _producers.Values)
        {
            await Task.Run(producer.Dispose).ConfigureAwait(false);
        }
    }
}
