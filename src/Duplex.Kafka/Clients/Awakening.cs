using Confluent.Kafka;

namespace Duplex.Kafka.Clients;

/// <summary>
/// Keeps the client from sleeping over what it is asked for. Its thread of a broker looks for partitions to fetch and
/// topics to write when something wakes it, else once a second, and an assignment does not always wake it.
/// </summary>
internal static class Awakening
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);

    /// <summary>The next entry, or null if none came in time. What does not come at once is asked for at the broker of
    /// the partition that it is expected from.</summary>
    public static ConsumeResult<byte[], byte[]>? ConsumeAwake(
        this IConsumer<byte[], byte[]> consumer, TopicPartition expected, TimeSpan within)
    {
        if (within <= Moment)
        {
            return consumer.Consume(within);
        }

        if (consumer.Consume(Moment) is { } result)
        {
            return result;
        }

        try
        {
            consumer.QueryWatermarkOffsets(expected, AnswerWithin);
        }
        catch (KafkaException)
        {
            // A broker that does not answer is the caller's matter, who knows how long to wait for it.
        }

        return consumer.Consume(within - Moment);
    }

    /// <summary>Lets a producer find the brokers of a topic before it writes to it; without a topic, any
    /// broker.</summary>
    public static void Meet(this IProducer<byte[], byte[]> producer, string? topic)
    {
        using var admin = new DependentAdminClientBuilder(producer.Handle).Build();
        try
        {
            _ = topic is null ? admin.GetMetadata(AnswerWithin) : admin.GetMetadata(topic, AnswerWithin);
        }
        catch (KafkaException)
        {
            // It finds them by itself, a little later.
        }
    }
}
