using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Commits;
using Duplex.Storage.Embedded.Feeds;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded;

/// <summary>The feeds in <c>feed.db</c>, a SQLite file in the data directory. One process at a time.</summary>
public sealed class EmbeddedFeedStore : IFeedStore
{
    private const int ReadersMax = 8;
    private const int BlocksPerStep = 500;
    private const int DeliveriesPerStep = 10_000;

    private readonly DirectoryLock _lock;
    private readonly FeedWriter _feeds;
    private readonly GroupWriter _writer;
    private readonly ReaderPool _readers;
    private readonly CancellationTokenSource _closing = new();
    private int _disposed;

    private EmbeddedFeedStore(DirectoryLock directoryLock, Database database, EmbeddedOptions options)
    {
        _lock = directoryLock;
        _feeds = new FeedWriter(database, options.Clock);
        _writer = new GroupWriter(
            database, _feeds, options.Loggers.CreateLogger(typeof(EmbeddedFeedStore).FullName!), options.ProbeInterval);
        _readers = new ReaderPool(database.FilePath, ReadersMax);
    }

    /// <inheritdoc/>
    public SyncError? Obstacle => _writer.Obstacle;

    /// <inheritdoc/>
    public Task<SyncError> Failed => _writer.Failed;

    /// <summary>
    /// Opens the feeds in the data directory, and makes their file if it is not there. What a killed process left is
    /// recovered first.
    /// </summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageFenced"/>: another process has the directory open.
    /// <see cref="ErrorCode.StorageUnreadable"/>: damaged, or written by a later version.
    /// <see cref="ErrorCode.StorageFull"/>, <see cref="ErrorCode.StorageFailed"/>: the disk.</exception>
    public static ValueTask<EmbeddedFeedStore> OpenAsync(
        string directory, EmbeddedOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        cancellationToken.ThrowIfCancellationRequested();
        options ??= new EmbeddedOptions();
        var opened = StoreFile.Open(directory, FeedSql.Schema, options);
        try
        {
            var store = new EmbeddedFeedStore(opened.Lock, opened.Database, options);
            store._feeds.Load();
            store._writer.Start();
            return ValueTask.FromResult(store);
        }
        catch (Exception e)
        {
            throw opened.Abandon(e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> AcquireAsync(FeedSpec feed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        cancellationToken.ThrowIfCancellationRequested();
        return await _writer.RunAsync(new ActionRequest<long>(() => _feeds.Acquire(feed))).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<FeedAppend> AppendAsync(
        string feed, long epoch, string source, IReadOnlyList<FeedItem> items, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(items);
        cancellationToken.ThrowIfCancellationRequested();
        return await _writer.RunAsync(
            new FeedAppendRequest(_feeds, _feeds.Get(feed), epoch, source, items, cancellationToken))
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<string, long>> ReadSourcesAsync(
        string feed, string sourcePrefix, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, long>>(_feeds.Get(feed).LastOffsets(sourcePrefix));

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<FeedRecord>> ReadAsync(
        string feed, long afterOffset, int limit, string? table, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(afterOffset);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        var found = _feeds.Get(feed);
        var extent = found.Extent;
        if (afterOffset + 1 < extent.First)
        {
            throw FeedRefusals.Gap(feed, extent.First);
        }

        if (afterOffset + 1 >= extent.Next)
        {
            return [];
        }

        try
        {
            return await _readers.ReadAsync(new FeedRequest(found, extent, afterOffset, limit, table), FeedReader.Read,
                cancellationToken).ConfigureAwait(false);
        }
        catch (SyncException) when (afterOffset + 1 < found.Extent.First)
        {
            throw FeedRefusals.Gap(feed, found.Extent.First);
        }
    }

    /// <inheritdoc/>
    public async ValueTask WaitAsync(string feed, long afterOffset, CancellationToken cancellationToken)
    {
        var found = _feeds.Get(feed);
        while (found.Growth(afterOffset) is { } growth)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            await growth.WaitAsync(either.Token).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<FeedState>> DescribeAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<FeedState>>(
            [.. _feeds.All.Select(static feed => feed.State).OrderBy(static s => s.Name, StringComparer.Ordinal)]);

    /// <inheritdoc/>
    public ValueTask<FeedState?> FindAsync(string feed, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_feeds.Find(feed)?.State);

    /// <inheritdoc/>
    public ValueTask<long?> ReadConsumerAsync(string feed, string consumer, CancellationToken cancellationToken) =>
        _readers.ReadAsync((_feeds.Get(feed).Id, consumer), static (database, key) =>
            database.Prepared(FeedSql.ReadConsumer).Bind(1, key.Id).Bind(2, key.consumer).Scalar(), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask CommitConsumerAsync(
        string feed, string consumer, long offset, bool rewind, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(consumer);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        var found = _feeds.Get(feed);
        var last = found.Extent.Next - 1;
        if (offset > last)
        {
            throw FeedRefusals.Beyond(offset, last);
        }

        await _writer.RunAsync(new ActionRequest<bool>(() => _feeds.Commit(found, consumer, offset, rewind)))
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<string, long>> ListConsumersAsync(
        string feed, CancellationToken cancellationToken)
    {
        var rows = await _readers.ReadAsync(_feeds.Get(feed).Id, static (database, id) =>
            database.Prepared(FeedSql.ListConsumers).Bind(1, id).All(static row => (row.Text(0), row.Int64(1))),
            cancellationToken).ConfigureAwait(false);
        return rows.ToDictionary(static row => row.Item1, static row => row.Item2, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public async ValueTask RecordDeliveriesAsync(
        string feed, IReadOnlyList<FeedDelivery> deliveries, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(deliveries);
        var found = _feeds.Get(feed);
        foreach (var step in deliveries.Chunk(DeliveriesPerStep))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await _writer.RunAsync(new ActionRequest<bool>(() => _feeds.Record(found, step))).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> ApplyRetentionAsync(CancellationToken cancellationToken)
    {
        var total = 0L;
        foreach (var feed in _feeds.All)
        {
            long removed;
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                removed = await _writer.RunAsync(
                    new ActionRequest<long>(() => _feeds.Trim(feed, BlocksPerStep), freesRoom: true))
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
}
