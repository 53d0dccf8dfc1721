using System.Collections.Concurrent;
using Duplex.Sdk;

namespace Duplex.Storage.Embedded.Log;

/// <summary>One topic in memory.</summary>
internal sealed class Topic(long id, string name)
{
    private readonly ConcurrentDictionary<string, long[]> _consumers = new(StringComparer.Ordinal);

    public long Id { get; } = id;

    public string Name { get; } = name;

    /// <summary>Entries older than this, in microseconds, may go once consumed.</summary>
    public long AgeMicros { get; set; }

    /// <summary>Bytes above which consumed entries go and unconsumed ones stop appends.</summary>
    public long BytesMax { get; set; }

    public PartitionLog[] Partitions { get; set; } = [];

    /// <summary>Bytes as the open transaction leaves them.</summary>
    public long StagedBytes
    {
        get
        {
            var bytes = 0L;
            foreach (var partition in Partitions)
            {
                bytes += partition.Staged.Bytes;
            }

            return bytes;
        }
    }

    /// <summary>The partition of a key. Stable for ever: records would lose their order otherwise.</summary>
    public PartitionLog PartitionOf(ReadOnlySpan<byte> key) => Partitions[KeyHash(key) % (uint)Partitions.Length];

    /// <summary>What every consumer of the partition has passed; no limit if the topic has no consumer.</summary>
    public long ConsumedTo(int partition)
    {
        var consumed = long.MaxValue;
        foreach (var offsets in _consumers.Values)
        {
            consumed = Math.Min(consumed, Volatile.Read(ref offsets[partition]));
        }

        return consumed;
    }

    /// <summary>Notes how far a consumer has got. True if it was not known before. Partitions that it has not told of
    /// count as unread.</summary>
    public bool Advance(string consumer, int partition, long offset)
    {
        var known = _consumers.TryGetValue(consumer, out var offsets);
        offsets ??= _consumers.GetOrAdd(consumer, _ => new long[Partitions.Length]);
        Volatile.Write(ref offsets[partition], offset);
        return !known;
    }

    public void Forget(string consumer) => _consumers.TryRemove(consumer, out _);

    public long ConsumerOffset(string consumer, int partition) =>
        _consumers.TryGetValue(consumer, out var offsets) ? Volatile.Read(ref offsets[partition]) : 0;

    /// <summary>The error of an append that finds the topic full of entries that somebody still needs.</summary>
    public SyncError QuotaReached() => new(ErrorCode.StorageFull,
        $"Topic {Name} holds {StagedBytes} bytes that are not delivered yet; its quota is {BytesMax}.",
        Suggestion: "Repair or remove the sync that is behind (duplex status), or raise the log's bytes in duplex.yaml.");

    private static uint KeyHash(ReadOnlySpan<byte> key)
    {
        // FNV-1a, then a finisher so that the low bits depend on every octet.
        var hash = 14695981039346656037UL;
        foreach (var octet in key)
        {
            hash = (hash ^ octet) * 1099511628211UL;
        }

        hash ^= hash >> 32;
        hash *= 0xD6E8FEB86659FD93UL;
        return (uint)(hash >> 32);
    }
}
