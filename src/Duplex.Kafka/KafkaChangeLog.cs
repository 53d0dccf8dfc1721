using Duplex.Engine.Log;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Groups;
using Duplex.Kafka.Reading;
using Duplex.Kafka.Topics;
using Duplex.Kafka.Writing;
using Duplex.Sdk;

namespace Duplex.Kafka;

/// <summary>
/// The change log on Apache Kafka. A topic of the log is a topic of the cluster; an entry is a record with the canonical
/// key, the envelope as its value and headers; entries and the source's position are one transaction. One process at a
/// time writes under a prefix: the one that opened it last, which shuts the others out.
/// </summary>
/// <remarks>
/// Offsets are Kafka's: they grow but are not contiguous, since the end of a transaction takes one. What is acknowledged
/// is on every in-sync replica; when a replica writes its pages to the disk is the cluster's setting.
/// </remarks>
public sealed class KafkaChangeLog : IChangeLog
{
    private const int ReadersMax = 24;
    private const int ReadersRunningMax = 8;

    private readonly LogCatalog _catalog = new();
    private readonly ConsumerOffsets _consumers = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly TopicMaker _topics;
    private readonly LogWriter _writer;
    private readonly ReaderPool _readers;
    private readonly GroupOffsets _groups;
    private readonly string _prefix;
    private readonly GroupMembers _members;
    private int _disposed;

    private KafkaChangeLog(KafkaLogOptions options)
    {
        var clients = new ClientFactory(options);
        _prefix = clients.Name("");
        _writer = new LogWriter(clients, _catalog, _consumers, options);
        _topics = new TopicMaker(clients, _catalog, _writer, options);
        _readers = new ReaderPool(clients, ReadersMax, ReadersRunningMax);
        _groups = new GroupOffsets(clients);
        _members = new GroupMembers(clients);
    }

    /// <inheritdoc/>
    public string Identity => _writer.Identity;

    /// <inheritdoc/>
    public SyncError? Obstacle => _writer.Obstacle;

    /// <inheritdoc/>
    public Task<SyncError> Failed => _writer.Failed;

    /// <summary>Whether a topic of the cluster is one of the log's own, which nobody else may write to.</summary>
    public bool Owns(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return topic.StartsWith(_prefix, StringComparison.Ordinal) && (_catalog.Topics.ContainsKey(topic[_prefix.Length..])
            || (topic.Contains("_u", StringComparison.Ordinal) && _catalog.Topics.Values.Any(t => t.KafkaName == topic)));
    }

    /// <summary>Opens the log, and shuts out whoever has it open under the same prefix.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageUnavailable"/>: the cluster does not answer or
    /// refuses. <see cref="ErrorCode.ConfigInvalid"/>: a setting is wrong, or the client library is missing.</exception>
    public static async Task<KafkaChangeLog> OpenAsync(KafkaLogOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        return await Task.Run(() => Open(options), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask EnsureTopicAsync(TopicSpec topic, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentOutOfRangeException.ThrowIfLessThan(topic.Partitions, 1);
        await _topics.EnsureAsync(topic, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<AppendOutcome> AppendAsync(
        string source, ChangeBatch batch, Func<string, string> topicOf, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(topicOf);
        cancellationToken.ThrowIfCancellationRequested();
        if (batch.Count == 0 && batch.Position is null)
        {
            return default;
        }

        return await _writer.RunAsync(new AppendRequest(
            _writer, source, batch, stream => _catalog.Get(topicOf(stream)), cancellationToken)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<Position?> ReadPositionAsync(string source, CancellationToken cancellationToken) =>
        // While it is open whether an append took effect, so is the position.
        Obstacle is { } obstacle
            ? ValueTask.FromException<Position?>(new SyncException(obstacle))
            : ValueTask.FromResult(_catalog.Positions.GetValueOrDefault(source));

    /// <inheritdoc/>
    public async ValueTask<LogPage> ReadAsync(
        string topic, int partition, long offset, int entriesMax, int bytesMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(entriesMax, 1);
        cancellationToken.ThrowIfCancellationRequested();
        var found = _catalog.Get(topic, partition);
        var extent = found.Extent;
        if (offset < extent.First)
        {
            throw Removed(found, offset);
        }

        return offset >= extent.Next
            ? new LogPage(0)
            : await _readers.ReadAsync(
                new PageRequest(found, Math.Max(offset, extent.Readable), extent.Last, entriesMax, bytesMax),
                cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask WaitAsync(string topic, int partition, long offset, CancellationToken cancellationToken)
    {
        var found = _catalog.Get(topic, partition);
        while (found.Growth(offset) is { } growth)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            await growth.WaitAsync(either.Token).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask AdvanceConsumerAsync(
        string consumer, string topic, int partition, long offset, CancellationToken cancellationToken)
    {
        var found = _catalog.Get(topic, partition);
        var before = found.Topic.ConsumerOffset(consumer, partition);
        if (found.Topic.Advance(consumer, partition, offset))
        {
            // Until a consumer is stored, nothing keeps its entries after a restart.
            await _writer.RunAsync(new ActionRequest<bool>(t => Put(t, consumer, found))).ConfigureAwait(false);
        }
        else if (offset != before)
        {
            _consumers.Changed(consumer, found.Topic, partition);
        }

        if (!_members.Changed(consumer, found) && offset != before)
        {
            _groups.Changed(consumer, found);
        }
    }

    /// <inheritdoc/>
    public ValueTask<PartitionShare> JoinAsync(
        string consumer, string member, IReadOnlyCollection<string> topics, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topics);
        cancellationToken.ThrowIfCancellationRequested();
        var found = topics.Select(topic => _catalog.Get(topic)).ToList();
        if (found.Count == 0)
        {
            var none = new PartitionShare();
            none.Give([]);
            return ValueTask.FromResult(none);
        }

        _groups.Joined(consumer);
        return ValueTask.FromResult(_members.Join(consumer, member, found));
    }

    /// <inheritdoc/>
    public async ValueTask RemoveConsumerAsync(string consumer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await _writer.RunAsync(new ActionRequest<bool>(t => Remove(t, consumer))).ConfigureAwait(false);
        await _groups.RemoveAsync(consumer).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PartitionState>> DescribeAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<PartitionState>>(
            [.. _catalog.Topics.Values.OrderBy(static t => t.Name, StringComparer.Ordinal)
                .SelectMany(static t => t.Partitions).Select(Describe)]);

    /// <inheritdoc/>
    public async ValueTask<long> ApplyRetentionAsync(CancellationToken cancellationToken)
    {
        var removed = 0L;
        foreach (var topic in _catalog.Topics.Values)
        {
            cancellationToken.ThrowIfCancellationRequested();
            removed += await _writer.RunAsync(new ActionRequest<long>(_ => _writer.Trim(topic))).ConfigureAwait(false);
        }

        return removed;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _closing.CancelAsync().ConfigureAwait(false);
        await _members.EndAsync().ConfigureAwait(false);
        await _groups.DisposeAsync().ConfigureAwait(false);
        await Task.Run(_writer.Dispose).ConfigureAwait(false);
        _topics.Dispose();
        await Task.Run(_readers.Dispose).ConfigureAwait(false);
        _closing.Dispose();
    }

    private static KafkaChangeLog Open(KafkaLogOptions options)
    {
        KafkaChangeLog log;
        try
        {
            log = new KafkaChangeLog(options);
            log._writer.Open();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new SyncException(ErrorCode.ConfigInvalid, $"Kafka's client refuses a setting: {e.Message}",
                "Correct log.kafka; further settings have librdkafka's names.", e);
        }

        log._groups.Start();
        return log;
    }

    private static PartitionState Describe(PartitionLog partition)
    {
        var extent = partition.Extent;
        DateTimeOffset? oldest = extent.IsEmpty
            ? null
            : DateTimeOffset.UnixEpoch.AddTicks(extent.OldestMicros * TimeSpan.TicksPerMicrosecond);
        return new PartitionState(
            partition.Topic.Name, partition.Number, extent.First, extent.Next, extent.Held, oldest);
    }

    private static SyncException Removed(PartitionLog partition, long offset) => new(ErrorCode.StorageUnreadable,
        $"Offset {offset} of partition {partition.Number} of topic {partition.Topic.Name} was removed by retention; " +
        $"the first is {partition.Extent.First}.", "Run duplex resnapshot on the connection.");

    private static bool Put(Transaction transaction, string consumer, PartitionLog partition)
    {
        ConsumerOffsets.Put(transaction, consumer, partition.Topic, partition.Number);
        return true;
    }

    private bool Remove(Transaction transaction, string consumer)
    {
        _consumers.Forget(consumer);
        foreach (var topic in _catalog.Topics.Values.Where(t => t.Forget(consumer)))
        {
            foreach (var partition in topic.Partitions)
            {
                ConsumerOffsets.Remove(transaction, consumer, topic, partition.Number);
            }
        }

        return true;
    }
}
