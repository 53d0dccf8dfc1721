using Duplex.Sdk;

namespace Duplex.Engine.Log;

/// <summary>
/// The durable, partitioned, ordered log between sources and legs. Implementations: embedded (SQLite), Kafka. All
/// members may be called from many tasks at once.
/// </summary>
public interface IChangeLog : IAsyncDisposable
{
    /// <summary>
    /// Which log it is: a text that was made with the log and stays, and that no other log has, whatever its topics are called. A
    /// copy of a log has it too.
    /// </summary>
    string Identity { get; }

    /// <summary>
    /// Creates the topic if it does not exist, and applies retention. The partition count of an existing topic stays.
    /// </summary>
    ValueTask EnsureTopicAsync(TopicSpec topic, CancellationToken cancellationToken);

    /// <summary>
    /// Appends a batch and stores its <see cref="ChangeBatch.Position"/> for the source in the same commit. When it
    /// returns, both are on disk. Changes of a stream go to the topic that <paramref name="topicOf"/> names, to the
    /// partition that the key's hash selects, in the batch's order. A change whose delivery id the topic holds already
    /// is dropped (and counted). A batch with a change whose name the topic holds under another digest
    /// (<see cref="DeliveryId"/>) is not stored at all. The batch is not disposed and may be reused after the return. Calls by different
    /// callers are committed together.
    /// </summary>
    /// <exception cref="SyncException">
    /// <see cref="ErrorCode.StorageFull"/>: no room (disk, or the log's byte quota with unconsumed entries); nothing
    /// was stored; try again later. <see cref="ErrorCode.StorageFailed"/>: the disk failed; nothing is acknowledged;
    /// the log must be reopened. <see cref="ErrorCode.StorageUnavailable"/>: the log's server does not answer; nothing is
    /// acknowledged; the log goes on by itself. <see cref="ErrorCode.StorageFenced"/>: the position is behind the stored one, or
    /// another process owns the log.
    /// </exception>
    ValueTask<AppendOutcome> AppendAsync(
        string source, ChangeBatch batch, Func<string, string> topicOf, CancellationToken cancellationToken);

    /// <summary>The stored position of a source; null if it never stored one.</summary>
    ValueTask<Position?> ReadPositionAsync(string source, CancellationToken cancellationToken);

    /// <summary>
    /// Reads entries of a partition in offset order, starting with the first at or after <paramref name="offset"/>.
    /// Returns an empty page at the end of the partition; <see cref="WaitAsync"/> waits for more. The page is disposed
    /// by the caller; the bytes of its entries live as long as it.
    /// </summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageUnreadable"/>: damaged, or the offset was removed by
    /// retention while it was still wanted.</exception>
    ValueTask<LogPage> ReadAsync(
        string topic, int partition, long offset, int entriesMax, int bytesMax, CancellationToken cancellationToken);

    /// <summary>Completes when the partition holds an entry at or after the offset. Wakes without polling within the
    /// process.</summary>
    ValueTask WaitAsync(string topic, int partition, long offset, CancellationToken cancellationToken);

    /// <summary>
    /// Tells how far a consumer has got (the next offset it wants), so that retention never removes what it still
    /// needs. The truth about a leg's position is in the state store; this may lag behind it.
    /// </summary>
    ValueTask AdvanceConsumerAsync(string consumer, string topic, int partition, long offset,
        CancellationToken cancellationToken);

    /// <summary>
    /// Makes the caller a member of a consumer, whose members share the partitions of its topics: each partition is one member's
    /// at a time. Returns at once; <see cref="PartitionShare.TakeAsync"/> tells of the partitions. A log that one process uses
    /// gives its only member all of them, for ever. How far a member has got is told by <see cref="AdvanceConsumerAsync"/>; the
    /// truth about it is in the state store, and a member that is given a partition begins there.
    /// </summary>
    /// <param name="consumer">The consumer: a leg.</param>
    /// <param name="member">The member's own name, the same after a restart: it gets back what it had.</param>
    /// <param name="topics">The topics, which exist. None gives a share without partitions.</param>
    /// <param name="cancellationToken">Stops what has not begun.</param>
    /// <exception cref="SyncException"><see cref="ErrorCode.ConfigInvalid"/>: the log's server cannot be used so.</exception>
    ValueTask<PartitionShare> JoinAsync(
        string consumer, string member, IReadOnlyCollection<string> topics, CancellationToken cancellationToken);

    /// <summary>Forgets a consumer, so that retention no longer waits for it.</summary>
    ValueTask RemoveConsumerAsync(string consumer, CancellationToken cancellationToken);

    /// <summary>Topics with partitions: first and next offset, bytes, age of the oldest entry.</summary>
    ValueTask<IReadOnlyList<PartitionState>> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>Removes entries that retention no longer wants. Called by the engine's housekeeping, about once a
    /// minute.</summary>
    ValueTask<long> ApplyRetentionAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Null while the log takes appends; otherwise why it does not (disk full, failed). A topic at its byte quota is no
    /// obstacle of the log: its own appends say so, and other topics go on.
    /// </summary>
    SyncError? Obstacle { get; }

    /// <summary>
    /// Completes when the log will take nothing more in this process, because what it would acknowledge could not be
    /// trusted. Its owner ends the process; the next one starts from what is on disk.
    /// </summary>
    Task<SyncError> Failed { get; }
}

/// <summary>A topic.</summary>
/// <param name="Name">The name, e.g. <c>acme.shop.public.customers</c>.</param>
/// <param name="Partitions">How many partitions, at least 1.</param>
/// <param name="RetentionAge">Entries older than this may go once every consumer has passed them.</param>
/// <param name="RetentionBytes">The topic's size above which the oldest consumed entries go; unconsumed entries above
/// it stop appends.</param>
public sealed record TopicSpec(string Name, int Partitions, TimeSpan RetentionAge, long RetentionBytes);

/// <summary>What an append did.</summary>
/// <param name="Appended">Entries stored.</param>
/// <param name="Dropped">Entries dropped because their delivery id was there already.</param>
/// <param name="Conflict">The index of the first change whose name the topic holds under another digest; then nothing of the
/// batch is stored. Null if there is none.</param>
public readonly record struct AppendOutcome(int Appended, int Dropped, int? Conflict = null);

/// <summary>One partition as it stands.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition, from 0.</param>
/// <param name="FirstOffset">The first offset that can be read; equal to <paramref name="NextOffset"/> when it is
/// empty.</param>
/// <param name="NextOffset">The lowest offset that the next entry can get: one above the last entry's. Offsets grow, and
/// may leave some out.</param>
/// <param name="Bytes">Bytes of keys and envelopes.</param>
/// <param name="OldestAt">When the oldest entry was appended; null when it is empty.</param>
public sealed record PartitionState(
    string Topic, int Partition, long FirstOffset, long NextOffset, long Bytes, DateTimeOffset? OldestAt);
