using Duplex.Engine.Log;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Commits;
using Duplex.Storage.Embedded.Log;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded;

/// <summary>The change log in <c>log.db</c>, a SQLite file in the data directory. One process at a time.</summary>
public sealed class EmbeddedChangeLog : IChangeLog
{
    private const int ReadersMax = 8;
    private const int BlocksPerStep = 500;

    private readonly DirectoryLock _lock;
    private readonly Database _database;
    private readonly TopicCatalog _topics;
    private readonly ConsumerOffsets _consumers;
    private readonly LogWriter _log;
    private readonly GroupWriter _writer;
    private readonly ReaderPool _readers;
    private readonly CancellationTokenSource _closing = new();
    private int _disposed;

    private EmbeddedChangeLog(DirectoryLock directoryLock, Database database, EmbeddedOptions options)
    {
        _lock = directoryLock;
        _database = database;
        _topics = new TopicCatalog();
        _consumers = new ConsumerOffsets();
        _log = new LogWriter(database, _topics, _consumers, options.Clock);
        _writer = new GroupWriter(
            database, _log, options.Loggers.CreateLogger(typeof(EmbeddedChangeLog).FullName!), options.ProbeInterval);
        _readers = new ReaderPool(database.FilePath, ReadersMax);
    }

    /// <inheritdoc/>
    public string Identity { get; private set; } = "";

    /// <inheritdoc/>
    public SyncError? Obstacle => _writer.Obstacle;

    /// <inheritdoc/>
    public Task<SyncError> Failed => _writer.Failed;

    /// <summary>
    /// Opens the log in the data directory, and makes it if it is not there. What a killed process left is recovered
    /// first.
    /// </summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageFenced"/>: another process has the directory open.
    /// <see cref="ErrorCode.StorageUnreadable"/>: damaged, or written by a later version.
    /// <see cref="ErrorCode.StorageFull"/>, <see cref="ErrorCode.StorageFailed"/>: the disk.</exception>
    public static ValueTask<EmbeddedChangeLog> OpenAsync(
        string directory, EmbeddedOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        cancellationToken.ThrowIfCancellationRequested();
        options ??= new EmbeddedOptions();
        var opened = StoreFile.Open(directory, LogSql.Schema, options);
        try
        {
            var log = new EmbeddedChangeLog(opened.Lock, opened.Database, options);
            log.Identity = opened.Database.Query(LogSql.Identity);
            log._topics.Load(opened.Database);
            log._log.Load();
            log._writer.Start();
            return ValueTask.FromResult(log);
        }
        catch (Exception e)
        {
            throw opened.Abandon(e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask EnsureTopicAsync(TopicSpec topic, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentOutOfRangeException.ThrowIfLessThan(topic.Partitions, 1);
        cancellationToken.ThrowIfCancellationRequested();
        await _writer.RunAsync(new ActionRequest<Topic>(() => _log.Ensure(topic))).ConfigureAwait(false);
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

        var request = new AppendRequest(_log, source, batch, stream => _topics.Get(topicOf(stream)), cancellationToken);
        return await _writer.RunAsync(request).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<Position?> ReadPositionAsync(string source, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_log.Position(source));

    /// <inheritdoc/>
    public async ValueTask<LogPage> ReadAsync(
        string topic, int partition, long offset, int entriesMax, int bytesMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(entriesMax, 1);
        cancellationToken.ThrowIfCancellationRequested();
        var found = _topics.Get(topic, partition);
        if (offset < found.Extent.First)
        {
            throw Removed(found, offset);
        }

        if (offset >= found.Extent.Next)
        {
            return new LogPage(0);
        }

        try
        {
            return await _readers.ReadAsync(new PageRequest(found, offset, entriesMax, bytesMax), PageReader.Read,
                cancellationToken).ConfigureAwait(false);
        }
        catch (SyncException) when (offset < found.Extent.First)
        {
            throw Removed(found, offset);
        }
    }

    /// <inheritdoc/>
    public async ValueTask WaitAsync(string topic, int partition, long offset, CancellationToken cancellationToken)
    {
        var found = _topics.Get(topic, partition);
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
        var found = _topics.Get(topic, partition).Topic;
        if (found.Advance(consumer, partition, offset))
        {
            // Until a consumer is on disk, nothing keeps its entries after a restart.
            await _writer.RunAsync(new ActionRequest<bool>(() => Put(consumer, found, partition)))
                .ConfigureAwait(false);
        }
        else
        {
            _consumers.Changed(consumer, found, partition);
        }
    }

    /// <inheritdoc/>
    public ValueTask<PartitionShare> JoinAsync(
        string consumer, string member, IReadOnlyCollection<string> topics, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topics);
        cancellationToken.ThrowIfCancellationRequested();
        var share = new PartitionShare();
        share.Give([.. topics.Select(topic => _topics.Get(topic)).SelectMany(static topic =>
            Enumerable.Range(0, topic.Partitions.Length).Select(number => new PartitionHold(topic.Name, number)))]);
        return ValueTask.FromResult(share);
    }

    /// <inheritdoc/>
    public async ValueTask RemoveConsumerAsync(string consumer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await _writer.RunAsync(new ActionRequest<bool>(() => Remove(consumer), freesRoom: true)).ConfigureAwait(false);
        foreach (var topic in _topics.All)
        {
            topic.Forget(consumer);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PartitionState>> DescribeAsync(CancellationToken cancellationToken)
    {
        var states = new List<PartitionState>();
        foreach (var topic in _topics.All.OrderBy(static t => t.Name, StringComparer.Ordinal))
        {
            foreach (var partition in topic.Partitions)
            {
                states.Add(Describe(partition));
            }
        }

        return ValueTask.FromResult<IReadOnlyList<PartitionState>>(states);
    }

    /// <inheritdoc/>
    public async ValueTask<long> ApplyRetentionAsync(CancellationToken cancellationToken)
    {
        var total = 0L;
        foreach (var topic in _topics.All)
        {
            long removed;
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                removed = await _writer.RunAsync(
                    new ActionRequest<long>(() => _log.Trim(topic, BlocksPerStep), freesRoom: true))
                    .ConfigureAwait(false);
                total += removed;
            }
            while (removed > 0);
        }

        return total;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _closing.CancelAsync().ConfigureAwait(false);
        await _writer.DisposeAsync().ConfigureAwait(false);
        _readers.Dispose();
        _lock.Dispose();
        _closing.Dispose();
    }

    private static PartitionState Describe(PartitionLog partition)
    {
        var extent = partition.Extent;
        DateTimeOffset? oldest = extent.IsEmpty
            ? null
            : DateTimeOffset.UnixEpoch.AddTicks(extent.OldestMicros * TimeSpan.TicksPerMicrosecond);
        return new PartitionState(partition.Topic.Name, partition.Number, extent.First, extent.Next, extent.Bytes,
            oldest);
    }

    private static SyncException Removed(PartitionLog partition, long offset) =>
        new(ErrorCode.StorageUnreadable,
            $"Offset {offset} of partition {partition.Number} of topic {partition.Topic.Name} was removed by retention; " +
            $"the first is {partition.Extent.First}.",
            "Run duplex resnapshot on the connection.");

    private bool Put(string consumer, Topic topic, int partition)
    {
        ConsumerOffsets.Put(_database, consumer, topic, partition);
        return true;
    }

    private bool Remove(string consumer)
    {
        _consumers.Forget(consumer);
        _database.Prepared(LogSql.DeleteConsumer).Bind(1, consumer).Run();
        return true;
    }
}
