using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Duplex.Engine.Feeds;
using Duplex.Engine.Push;
using Duplex.Sdk;
using KafkaCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Pushing;

/// <summary>
/// Takes one feed to a topic: key, headers and the body that webhooks have too. Acknowledged is what every in-sync replica
/// has. A record that is sent again, after an open outcome, stands behind its first copy and before the next of its key.
/// </summary>
internal sealed class TopicTransport(PushTopic topic, SharedProducer producers, Func<string, bool> isOfTheLog) : IPushTransport
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private Task? _making;

    public async Task<PushOutcome> SendAsync(PushMessage message, CancellationToken cancellationToken)
    {
        if (isOfTheLog(topic.Name))
        {
            return Away($"The topic {topic.Name} belongs to the change log; choose another one.");
        }

        IProducer<byte[], byte[]>? producer = null;
        try
        {
            producer = producers.Get();
            await EnsureAsync(cancellationToken).ConfigureAwait(false);
            await producer.ProduceAsync(topic.Name, MessageOf(message), cancellationToken)
                .WaitAsync(producers.Within + Grace, cancellationToken).ConfigureAwait(false);
            return new PushOutcome(PushResult.Taken);
        }
        catch (SyncException e)
        {
            return Away(e.Error.Message);
        }
        catch (KafkaException e)
        {
            return Judge(e.Error, producer);
        }
        catch (TimeoutException)
        {
            return Away($"No broker of {topic.Kafka.Bootstrap} has acknowledged the record in time.");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            return Away($"Kafka's client refuses a setting: {e.Message}");
        }
    }

    public void Dispose()
    {
        // The producer is that of other feeds too.
    }

    private async Task EnsureAsync(CancellationToken cancellationToken)
    {
        Task making;
        lock (_lock)
        {
            making = _making ??= producers.EnsureAsync(topic);
        }

        try
        {
            await making.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch when (making.IsFaulted)
        {
            Forget(making);
            throw;
        }
    }

    private void Forget(Task? making)
    {
        lock (_lock)
        {
            _making = making is null || _making == making ? null : _making;
        }
    }

    private static Message<byte[], byte[]> MessageOf(PushMessage message)
    {
        var record = message.Record;
        var headers = new Headers
        {
            { "content-type", "application/json"u8.ToArray() },
            { "duplex.customer", Encoding.UTF8.GetBytes(message.Feed) },
            { "duplex.table", Encoding.UTF8.GetBytes(record.Table) },
            { "duplex.operation", Encoding.UTF8.GetBytes(FeedRecordJson.OperationOf(record.Operation)) },
            { "duplex.offset", Encoding.UTF8.GetBytes(record.Offset.ToString(CultureInfo.InvariantCulture)) },
            { "duplex.message", Encoding.UTF8.GetBytes(message.Id) },
        };
        if (record.EventId is { } eventId)
        {
            headers.Add("duplex.event", Encoding.UTF8.GetBytes(eventId));
        }

        if (record.Version is { } version)
        {
            headers.Add("duplex.version", Encoding.UTF8.GetBytes(version));
        }

        return new Message<byte[], byte[]>
        {
            Key = record.Key.IsEmpty ? null! : record.Key.ToArray(),
            Value = message.Body(),
            Headers = headers,
        };
    }

    private PushOutcome Judge(Error error, IProducer<byte[], byte[]>? producer)
    {
        if (error.IsFatal && producer is not null)
        {
            producers.Replace(producer);
        }

        switch (error.Code)
        {
            case KafkaCode.MsgSizeTooLarge or KafkaCode.InvalidMsg or KafkaCode.InvalidMsgSize or KafkaCode.RecordListTooLarge:
                return new PushOutcome(PushResult.Failed, $"The topic {topic.Name} does not take the record: {error.Reason}.");
            case KafkaCode.Local_QueueFull:
                return new PushOutcome(PushResult.NotSent, RetryAfter: TimeSpan.FromSeconds(1));
            case KafkaCode.UnknownTopicOrPart or KafkaCode.Local_UnknownTopic or KafkaCode.Local_UnknownPartition:
                Forget(null);
                break;
        }

        return Away($"The topic {topic.Name} at {topic.Kafka.Bootstrap} takes nothing: {error.Reason} ({error.Code}).");
    }

    private static PushOutcome Away(string error) => new(PushResult.Away, error);
}
