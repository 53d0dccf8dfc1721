using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>
/// Feeds: the transformed output of a customer's legs, stored until consumers have polled it or it was pushed to them.
/// Implementations: embedded (SQLite), DynamoDB. All members may be called from many tasks at once; one process at a time
/// writes a feed, which <see cref="AcquireAsync"/> makes sure of. A feed that was never acquired is an
/// <see cref="InvalidOperationException"/> everywhere but in <see cref="DescribeAsync"/> and <see cref="FindAsync"/>.
/// </summary>
public interface IFeedStore : IAsyncDisposable
{
    /// <summary>
    /// Creates the feed where it does not exist, takes over writing it and returns the new epoch. Appends of older epochs are
    /// refused from then on.
    /// </summary>
    ValueTask<long> AcquireAsync(FeedSpec feed, CancellationToken cancellationToken);

    /// <summary>
    /// Appends items in order and durably. Offsets begin at 1 and have no gaps: an item can be read only when all before it can
    /// be. An item whose source offset is not above the highest one that was appended from its source is there already and is
    /// dropped, so that a batch may be appended again after a crash. Appends of different callers are made durable together.
    /// </summary>
    /// <param name="feed">The feed's name.</param>
    /// <param name="epoch">The epoch that was acquired.</param>
    /// <param name="source">Where the items come from: a log partition such as <c>users/0</c>, or a replay of one.</param>
    /// <param name="items">The items, their source offsets ascending. Not kept after the return.</param>
    /// <param name="cancellationToken">Stops the waiting, not a commit under way.</param>
    /// <returns>The offset of the last item of the feed after the append, and how many were dropped.</returns>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageFenced"/>: another process writes the feed.
    /// <see cref="ErrorCode.StorageFull"/>, <see cref="ErrorCode.StorageFailed"/>, <see cref="ErrorCode.SinkUnavailable"/> (a
    /// store across a network; try again later): nothing is acknowledged.</exception>
    ValueTask<FeedAppend> AppendAsync(
        string feed, long epoch, string source, IReadOnlyList<FeedItem> items, CancellationToken cancellationToken);

    /// <summary>
    /// The highest source offset that was appended from each source that begins with <paramref name="sourcePrefix"/>.
    /// </summary>
    ValueTask<IReadOnlyDictionary<string, long>> ReadSourcesAsync(
        string feed, string sourcePrefix, CancellationToken cancellationToken);

    /// <summary>
    /// Records after an offset, in offset order; of one table if <paramref name="table"/> is given. Fewer than
    /// <paramref name="limit"/> where they are large, but one at least where there is one.
    /// </summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.SourceGap"/>: retention has removed records after the offset; the
    /// message names the first offset that can be read.</exception>
    ValueTask<IReadOnlyList<FeedRecord>> ReadAsync(
        string feed, long afterOffset, int limit, string? table, CancellationToken cancellationToken);

    /// <summary>Completes when the feed has a record after the offset. Wakes at once for appends of this process.</summary>
    ValueTask WaitAsync(string feed, long afterOffset, CancellationToken cancellationToken);

    /// <summary>Every feed with its bounds, by name.</summary>
    ValueTask<IReadOnlyList<FeedState>> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>One feed with its bounds; null where it does not exist.</summary>
    async ValueTask<FeedState?> FindAsync(string feed, CancellationToken cancellationToken) =>
        (await DescribeAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault(state => state.Name == feed);

    /// <summary>Where a consumer resumes: the last offset that it has acknowledged; null if it never has.</summary>
    ValueTask<long?> ReadConsumerAsync(string feed, string consumer, CancellationToken cancellationToken);

    /// <summary>
    /// Stores the last offset that a consumer has dealt with. Never goes back unless <paramref name="rewind"/>. Records up
    /// to it read as delivered from then on, also after a rewind; those that are recorded as failed stay so.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The feed has no such record yet.</exception>
    ValueTask CommitConsumerAsync(
        string feed, string consumer, long offset, bool rewind, CancellationToken cancellationToken);

    /// <summary>Consumers of a feed with their offsets.</summary>
    ValueTask<IReadOnlyDictionary<string, long>> ListConsumersAsync(string feed, CancellationToken cancellationToken);

    /// <summary>Records what became of deliveries: status, attempts and error of records by offset. Those of records that
    /// retention has removed meanwhile are dropped.</summary>
    ValueTask RecordDeliveriesAsync(
        string feed, IReadOnlyList<FeedDelivery> deliveries, CancellationToken cancellationToken);

    /// <summary>Removes records beyond the age and size of their feed's <see cref="FeedSpec"/>, oldest first; the number removed.
    /// Consumers hold nothing back.</summary>
    ValueTask<long> ApplyRetentionAsync(CancellationToken cancellationToken);

    /// <summary>Null while the store takes appends; otherwise why it does not.</summary>
    SyncError? Obstacle { get; }

    /// <summary>Completes when the store will take nothing more in this process.</summary>
    Task<SyncError> Failed { get; }
}

/// <summary>A feed.</summary>
/// <param name="Name">Its name: the customer's, <c>customer-a</c>.</param>
/// <param name="RetentionAge">Records older than this may go.</param>
/// <param name="RetentionBytes">The size above which the oldest records go.</param>
public sealed record FeedSpec(string Name, TimeSpan RetentionAge, long RetentionBytes);

/// <summary>An item to append. The memory is the caller's.</summary>
/// <param name="SourceOffset">Its offset at its source.</param>
/// <param name="Table">The table (the log's stream), <c>users</c>.</param>
/// <param name="Key">The record's canonical key, UTF-8.</param>
/// <param name="Operation">What happened to the record.</param>
/// <param name="EventId">The event's own id, or null.</param>
/// <param name="Version">The record's version as the source tells it, or null.</param>
/// <param name="SourceMicros">When it happened, microseconds since 1970 UTC; 0 when unknown.</param>
/// <param name="Data">The transformed record, UTF-8 JSON.</param>
public readonly record struct FeedItem(
    long SourceOffset, string Table, ReadOnlyMemory<byte> Key, ChangeOperation Operation, string? EventId, string? Version,
    long SourceMicros, ReadOnlyMemory<byte> Data);

/// <summary>What an append did.</summary>
/// <param name="LastOffset">The offset of the feed's last record.</param>
/// <param name="Dropped">Items that were there already.</param>
public readonly record struct FeedAppend(long LastOffset, int Dropped);

/// <summary>A record of a feed.</summary>
public sealed record FeedRecord
{
    /// <summary>Its place in the feed, from 1.</summary>
    public required long Offset { get; init; }

    /// <summary>The table.</summary>
    public required string Table { get; init; }

    /// <summary>The record's canonical key, UTF-8.</summary>
    public required ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>What happened to the record.</summary>
    public required ChangeOperation Operation { get; init; }

    /// <summary>The event's own id, or null.</summary>
    public string? EventId { get; init; }

    /// <summary>The record's version as the source tells it, or null.</summary>
    public string? Version { get; init; }

    /// <summary>When it happened, microseconds since 1970 UTC; 0 when unknown.</summary>
    public long SourceMicros { get; init; }

    /// <summary>The source that it came from: <c>users/0</c>.</summary>
    public required string Source { get; init; }

    /// <summary>Its offset there.</summary>
    public required long SourceOffset { get; init; }

    /// <summary>The transformed record, UTF-8 JSON.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>When it was stored, microseconds since 1970 UTC.</summary>
    public required long CreatedMicros { get; init; }

    /// <summary>When its delivery was last recorded; at first when it was stored.</summary>
    public required long UpdatedMicros { get; init; }

    /// <summary>What became of it.</summary>
    public FeedStatus Status { get; init; }

    /// <summary>How often it was pushed.</summary>
    public int Attempts { get; init; }

    /// <summary>Why the last push failed, or null.</summary>
    public string? Error { get; init; }
}

/// <summary>What became of a record of a feed.</summary>
public enum FeedStatus
{
    /// <summary>Not delivered yet.</summary>
    Pending,
    /// <summary>Pushed and taken, or acknowledged by a consumer that polls.</summary>
    Delivered,
    /// <summary>Given up after its attempts; it stays readable.</summary>
    Failed,
}

/// <summary>The outcome of a delivery.</summary>
/// <param name="Offset">The record.</param>
/// <param name="Status">What became of it.</param>
/// <param name="Attempts">How often it was tried so far.</param>
/// <param name="Error">Why the last attempt failed, or null.</param>
public readonly record struct FeedDelivery(long Offset, FeedStatus Status, int Attempts, string? Error);

/// <summary>A feed as it stands.</summary>
/// <param name="Name">The feed.</param>
/// <param name="FirstOffset">The first offset that can be read; one above <paramref name="LastOffset"/> when it is empty.</param>
/// <param name="LastOffset">The offset of the last record; 0 before the first.</param>
/// <param name="Bytes">Bytes of keys and data.</param>
/// <param name="OldestMicros">When the oldest record was stored; 0 when it is empty.</param>
public sealed record FeedState(string Name, long FirstOffset, long LastOffset, long Bytes, long OldestMicros);
