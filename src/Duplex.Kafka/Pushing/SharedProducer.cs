using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Duplex.Engine.Push;
using Duplex.Kafka.Clients;
using KafkaCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Pushing;

/// <summary>One producer for every push to the same brokers, made with the first record. One that ended by a fatal error is
/// replaced. May be used from many tasks at once.</summary>
internal sealed class SharedProducer(KafkaLogOptions options, TimeSpan within) : IDisposable
{
    private static readonly TimeSpan FlushWithin = TimeSpan.FromSeconds(5);
    private readonly Lock _lock = new();
    private IProducer<byte[], byte[]>? _current;
    private bool _disposed;

    /// <summary>How long a record may take.</summary>
    public TimeSpan Within => within;

    /// <summary>The producer.</summary>
    /// <exception cref="Duplex.Sdk.SyncException">The client library is missing.</exception>
    public IProducer<byte[], byte[]> Get()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _current ??= new ClientFactory(options).Pusher(within);
        }
    }

    /// <summary>Lets go of a producer that takes nothing more.</summary>
    public void Replace(IProducer<byte[], byte[]> broken)
    {
        lock (_lock)
        {
            if (_current != broken)
            {
                return;
            }

            _current = null;
        }

        // Those who wait for records of it hear of their end while it is flushed.
        _ = Task.Run(() => End(broken));
    }

    /// <summary>Makes the topic where it does not exist.</summary>
    /// <exception cref="KafkaException">It could not be made, or found.</exception>
    public async Task EnsureAsync(PushTopic topic)
    {
        using var admin = new DependentAdminClientBuilder(Get().Handle).Build();
        try
        {
            await admin.CreateTopicsAsync(
                [
                    new TopicSpecification
                    {
                        Name = topic.Name,
                        NumPartitions = topic.Partitions,
                        ReplicationFactor = options.Replicas == 0 ? (short)-1 : options.Replicas,
                        Configs = new Dictionary<string, string>
                        {
                            ["max.message.bytes"] = $"{ClientFactory.EntryBytesMax + (1 << 20)}",
                        },
                    },
                ],
                new CreateTopicsOptions { RequestTimeout = within, OperationTimeout = within }).ConfigureAwait(false);
        }
        catch (CreateTopicsException e)
        {
            var error = e.Results.FirstOrDefault(static r => r.Error.IsError)?.Error ?? e.Error;
            // Who may write to a topic need not be allowed to make one: whether it is there shows with the first record.
            if (error.Code is not (KafkaCode.TopicAlreadyExists or KafkaCode.TopicAuthorizationFailed
                or KafkaCode.ClusterAuthorizationFailed))
            {
                throw new KafkaException(error);
            }
        }
    }

    public void Dispose()
    {
        IProducer<byte[], byte[]>? last;
        lock (_lock)
        {
            (last, _current, _disposed) = (_current, null, true);
        }

        last?.Dispose();
    }

    private static void End(IProducer<byte[], byte[]> producer)
    {
        try
        {
            producer.Flush(FlushWithin);
        }
        catch (KafkaException)
        {
            // What is left of it is sent again by the next one.
        }

        producer.Dispose();
    }
}
