using System.Globalization;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace Duplex.Kafka.Clients;

/// <summary>Makes the clients of one log, all with the same access to the cluster.</summary>
internal sealed partial class ClientFactory
{
    /// <summary>Bytes above which no entry is taken: the largest record, with its images, and room to spare.</summary>
    public const int EntryBytesMax = 16 << 20;

    private readonly KafkaLogOptions _options;
    private readonly ILogger _logger;

    public ClientFactory(KafkaLogOptions options)
    {
        Librdkafka.Require();
        _options = options;
        _logger = options.Loggers.CreateLogger(typeof(KafkaChangeLog).FullName!);
    }

    /// <summary>The name of something of this installation in the cluster.</summary>
    public string Name(string name) => _options.Prefix.Length == 0 ? name : $"{_options.Prefix}.{name}";

    /// <summary>
    /// A producer whose transactional id is the installation's: opening another one shuts this one out.
    /// </summary>
    public IProducer<byte[], byte[]> Producer() =>
        new ProducerBuilder<byte[], byte[]>(With(new()
            {
                ["transactional.id"] = Name("duplex.writer"),
                ["transaction.timeout.ms"] = "60000",
                ["message.timeout.ms"] = "60000",
                ["enable.idempotence"] = "true",
                ["acks"] = "all",
                ["compression.type"] = _options.Compression,
                ["linger.ms"] = "1",
                ["batch.size"] = "1048576",
                ["batch.num.messages"] = "50000",
                ["queue.buffering.max.messages"] = "1000000",
                ["queue.buffering.max.kbytes"] = "262144",
                ["message.max.bytes"] = (EntryBytesMax + (1 << 20)).ToString(CultureInfo.InvariantCulture),
                ["dotnet.producer.delivery.report.fields"] = "none",
            }))
            .SetLogHandler((_, line) => LogClient(_logger, line.Message))
            .SetErrorHandler((_, error) => LogClient(_logger, error.Reason))
            .Build();

    /// <summary>A producer that gives each record once and in order to every in-sync replica, or fails it in time.</summary>
    /// <param name="within">How long a record may take.</param>
    public IProducer<byte[], byte[]> Pusher(TimeSpan within) =>
        new ProducerBuilder<byte[], byte[]>(With(new()
            {
                ["enable.idempotence"] = "true",
                ["acks"] = "all",
                ["message.timeout.ms"] = within.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture),
                ["partitioner"] = "murmur2_random",
                ["compression.type"] = _options.Compression,
                ["linger.ms"] = "2",
                ["message.max.bytes"] = (EntryBytesMax + (1 << 20)).ToString(CultureInfo.InvariantCulture),
                ["dotnet.producer.delivery.report.fields"] = "none",
            }))
            .SetLogHandler((_, line) => LogClient(_logger, line.Message))
            .SetErrorHandler((_, error) => LogClient(_logger, error.Reason))
            .Build();

    /// <summary>A consumer that is told what to read, sees only what is committed, and belongs to no group.</summary>
    /// <param name="group">The group that it commits for; it never joins it.</param>
    /// <param name="headers">Whether headers are wanted.</param>
    /// <param name="ends">Whether the end of a partition is told.</param>
    public IConsumer<byte[], byte[]> Consumer(string group, bool headers, bool ends) =>
        new ConsumerBuilder<byte[], byte[]>(With(new()
            {
                ["group.id"] = group,
                ["enable.auto.commit"] = "false",
                ["enable.auto.offset.store"] = "false",
                ["isolation.level"] = "read_committed",
                ["auto.offset.reset"] = "error",
                ["enable.partition.eof"] = ends ? "true" : "false",
                ["check.crcs"] = "true",
                ["fetch.wait.max.ms"] = ends ? "10" : "500",
                ["fetch.error.backoff.ms"] = "50",
                ["queued.min.messages"] = ends ? "1" : "10000",
                ["queued.max.messages.kbytes"] = "8192",
                ["fetch.message.max.bytes"] = "1048576",
                ["receive.message.max.bytes"] = "134217728",
                ["dotnet.consumer.consume.result.fields"] = headers ? "topic,timestamp,headers" : "timestamp",
            }))
            .SetLogHandler((_, line) => LogClient(_logger, line.Message))
            .SetErrorHandler((_, error) => LogClient(_logger, error.Reason))
            .Build();

    /// <summary>
    /// A consumer that is a member of its group and fetches nothing to speak of. Its name in the group is the same after a
    /// restart, so that it keeps its place for as long as the session lasts.
    /// </summary>
    /// <param name="group">The group.</param>
    /// <param name="instance">The member's name in it.</param>
    /// <param name="handlers">Sets who is called back.</param>
    public IConsumer<byte[], byte[]> Member(
        string group, string instance, Action<ConsumerBuilder<byte[], byte[]>> handlers)
    {
        var builder = new ConsumerBuilder<byte[], byte[]>(With(new()
        {
            ["group.id"] = group,
            ["group.instance.id"] = instance,
            ["partition.assignment.strategy"] = "cooperative-sticky",
            ["session.timeout.ms"] = Milliseconds(_options.SessionWithin),
            ["heartbeat.interval.ms"] = Milliseconds(_options.SessionWithin / 10),
            ["topic.metadata.refresh.interval.ms"] = "60000",
            ["socket.timeout.ms"] = "10000",
            ["enable.auto.commit"] = "true",
            ["auto.commit.interval.ms"] = "2000",
            ["enable.auto.offset.store"] = "false",
            ["auto.offset.reset"] = "latest",
            ["queued.min.messages"] = "1",
            ["queued.max.messages.kbytes"] = "1",
            ["fetch.message.max.bytes"] = "1",
        })).SetLogHandler((_, line) => LogClient(_logger, line.Message));
        handlers(builder);
        return builder.Build();
    }

    public IAdminClient Admin() =>
        new AdminClientBuilder(With([]))
            .SetLogHandler((_, line) => LogClient(_logger, line.Message))
            .SetErrorHandler((_, error) => LogClient(_logger, error.Reason))
            .Build();

    private Dictionary<string, string> With(Dictionary<string, string> own)
    {
        own["bootstrap.servers"] = _options.Bootstrap;
        own["client.id"] = "duplex";
        own["socket.nagle.disable"] = "true";
        own["reconnect.backoff.max.ms"] = "1000";
        own["topic.metadata.refresh.sparse"] = "true";
        foreach (var (name, value) in _options.Properties)
        {
            own[name] = value;
        }

        return own;
    }

    private static string Milliseconds(TimeSpan span) =>
        ((long)span.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(LogLevel.Debug, "Kafka client: {Message}")]
    private static partial void LogClient(ILogger logger, string message);
}
