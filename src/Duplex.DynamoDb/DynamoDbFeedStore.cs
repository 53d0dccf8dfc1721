using System.Collections.Concurrent;
using Duplex.DynamoDb.Heads;
using Duplex.DynamoDb.Records;
using Duplex.DynamoDb.Requests;
using Duplex.DynamoDb.Writing;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.DynamoDb;

/// <summary>
/// The feeds in two tables of DynamoDB. A process that takes over a feed shuts out the one that wrote it before; any
/// number of processes read.
/// </summary>
public sealed class DynamoDbFeedStore : IFeedStore
{
    /// <summary>How soon a reader learns of what another process has appended.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly DynamoDbClient _client;
    private readonly FeedTables _tables;
    private readonly FeedHeads _heads;
    private readonly BatchWriter _batches;
    private readonly Consumers _consumers;
    private readonly FeedRetention _retention;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<string, FeedAppender> _appenders = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource<SyncError> _failed = new();
    private readonly CancellationTokenSource _closing = new();

    private DynamoDbFeedStore(DynamoDbFeedOptions options)
    {
        _clock = options.Clock;
        _client = new DynamoDbClient(options);
        _tables = new FeedTables(_client, options.TablePrefix);
        _heads = new FeedHeads(_client, _tables);
        _batches = new BatchWriter(_client);
        _consumers = new Consumers(_client, _tables, options.Clock);
        _retention = new FeedRetention(_client, _batches, _tables, options.Clock);
    }

    /// <inheritdoc/>
    public SyncError? Obstacle =>
        _appenders.Values.Select(static a => a.Obstacle).FirstOrDefault(static o => o is not null);

    /// <summary>Never completes: what the network breaks, it can mend.</summary>
    public Task<SyncError> Failed => _failed.Task;

    /// <summary>Opens the feeds, and makes their tables where they are missing.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.SinkUnavailable"/>: DynamoDB cannot be reached or refuses.
    /// <see cref="ErrorCode.ConfigInvalid"/>: there is no region or no credentials.</exception>
    public static async ValueTask<DynamoDbFeedStore> OpenAsync(
        DynamoDbFeedOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var store = new DynamoDbFeedStore(options);
        try
        {
            await store._tables.EnsureAsync(cancellationToken).ConfigureAwait(false);
            return store;
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> AcquireAsync(FeedSpec feed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        cancellationToken.ThrowIfCancellationRequested();
        var appender = _appenders.GetOrAdd(feed.Name, _ => new FeedAppender(_heads, _batches, _tables, _clock));
        return await appender.AcquireAsync(feed, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<FeedAppend> AppendAsync(
        string feed, long epoch, string source, IReadOnlyList<FeedItem> items, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(items);
        cancellationToken.ThrowIfCancellationRequested();
        if (!_appenders.TryGetValue(feed, out var appender))
        {
            var head = await _heads.GetAsync(feed, cancellationToken).ConfigureAwait(false);
            throw FeedRefusals.Fenced(feed, epoch, head.Epoch);
        }

        return await appender.AppendAsync(new PendingAppend(epoch, source, items, cancellationToken))
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<string, long>> ReadSourcesAsync(
        string feed, string sourcePrefix, CancellationToken cancellationToken)
    {
        var head = await _heads.GetAsync(feed, cancellationToken).ConfigureAwait(false);
        return head.Sources.Where(s => s.Key.StartsWith(sourcePrefix, StringComparison.Ordinal))
            .ToDictionary(static s => s.Key, static s => s.Value, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<FeedRecord>> ReadAsync(
        string feed, long afterOffset, int limit, string? table, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(afterOffset);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var head = await GetReadableAsync(feed, afterOffset, cancellationToken).ConfigureAwait(false);
        if (afterOffset >= head.Last)
        {
            return [];
        }

        var records = await new RecordReader(_client, _tables, head)
            .ReadAsync(afterOffset, limit, table, cancellationToken).ConfigureAwait(false);
        if (table is not null)
        {
            // Retention may have removed records of the table before they were reached.
            await GetReadableAsync(feed, afterOffset, cancellationToken).ConfigureAwait(false);
            return records;
        }

        for (var index = 0; index < Math.Max(1, records.Count); index++)
        {
            if (index >= records.Count || records[index].Offset != afterOffset + 1 + index)
            {
                await GetReadableAsync(feed, afterOffset, cancellationToken).ConfigureAwait(false);
                throw new SyncException(ErrorCode.StorageUnreadable,
                    $"Record {afterOffset + 1 + index} of feed {feed} is missing in table {_tables.Records}.",
                    "Somebody has removed items of the table; read on after them, and replay them if they are wanted.");
            }
        }

        return records;
    }

    /// <inheritdoc/>
    public async ValueTask WaitAsync(string feed, long afterOffset, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        while (true)
        {
            var growth = _appenders.TryGetValue(feed, out var appender) ? appender.Growth : null;
            var head = await _heads.GetAsync(feed, either.Token).ConfigureAwait(false);
            if (head.Last > afterOffset)
            {
                return;
            }

            var pause = Task.Delay(LookInterval, either.Token);
            await (growth is null ? pause : Task.WhenAny(growth, pause)).ConfigureAwait(false);
            either.Token.ThrowIfCancellationRequested();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<FeedState>> DescribeAsync(CancellationToken cancellationToken)
    {
        var heads = await _heads.ListAsync(cancellationToken).ConfigureAwait(false);
        return [.. heads.Select(static head => head.State).OrderBy(static s => s.Name, StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public async ValueTask<FeedState?> FindAsync(string feed, CancellationToken cancellationToken) =>
        (await _heads.FindAsync(feed, cancellationToken).ConfigureAwait(false))?.State;

    /// <inheritdoc/>
    public async ValueTask<long?> ReadConsumerAsync(
        string feed, string consumer, CancellationToken cancellationToken) =>
        await _consumers.ReadAsync(feed, consumer, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask CommitConsumerAsync(
        string feed, string consumer, long offset, bool rewind, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(consumer);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var head = await _heads.GetAsync(feed, cancellationToken).ConfigureAwait(false);
        if (offset > head.Last)
        {
            throw FeedRefusals.Beyond(offset, head.Last);
        }

        await _consumers.CommitAsync(feed, consumer, offset, rewind, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<string, long>> ListConsumersAsync(
        string feed, CancellationToken cancellationToken) =>
        await _consumers.ListAsync(feed, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask RecordDeliveriesAsync(
        string feed, IReadOnlyList<FeedDelivery> deliveries, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(deliveries);
        var head = await _heads.GetAsync(feed, cancellationToken).ConfigureAwait(false);
        await _consumers.RecordAsync(head, deliveries, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes records of the feeds that this process writes.</summary>
    /// <inheritdoc/>
    public async ValueTask<long> ApplyRetentionAsync(CancellationToken cancellationToken)
    {
        var total = 0L;
        foreach (var appender in _appenders.Values)
        {
            long removed;
            do
            {
                removed = await _retention.TrimAsync(appender, cancellationToken).ConfigureAwait(false);
                total += removed;
            }
            while (removed > 0);
        }

        return total;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        _client.Dispose();
    }

    private async ValueTask<FeedHead> GetReadableAsync(
        string feed, long afterOffset, CancellationToken cancellationToken)
    {
        var head = await _heads.GetAsync(feed, cancellationToken).ConfigureAwait(false);
        return afterOffset + 1 < head.First ? throw FeedRefusals.Gap(feed, head.First) : head;
    }
}
