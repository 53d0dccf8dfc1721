using System.Globalization;
using Duplex.Kafka.Ledgers;
using Duplex.Kafka.Topics;

namespace Duplex.Kafka.Writing;

/// <summary>
/// Consumers' offsets on their way to the ledger. They may lag behind, so they ride along with other transactions, or
/// make one of their own, at most once in five seconds.
/// </summary>
internal sealed class ConsumerOffsets
{
    private const long MillisecondsBetween = 5_000;
    private readonly HashSet<(string Consumer, Topic Topic, int Partition)> _changed = [];
    private readonly List<(string Consumer, Topic Topic, int Partition)> _writing = [];
    private long _writtenAt;

    /// <summary>What the ledger held.</summary>
    public void Load(string consumer, Topic? topic, int partition, long offset)
    {
        if (topic is not null && partition < topic.Partitions.Count)
        {
            topic.Advance(consumer, partition, offset);
        }
    }

    /// <summary>Notes that an offset differs from the ledger's.</summary>
    public void Changed(string consumer, Topic topic, int partition)
    {
        lock (_changed)
        {
            _changed.Add((consumer, topic, partition));
        }
    }

    /// <summary>Drops what waits for a consumer that is removed.</summary>
    public void Forget(string consumer)
    {
        lock (_changed)
        {
            _changed.RemoveWhere(change => change.Consumer == consumer);
        }
    }

    /// <summary>Makes the next transaction take what waits.</summary>
    public void Hurry() => _writtenAt = 0;

    /// <summary>Adds what waits to the transaction. On the writer's thread.</summary>
    public void Write(Transaction transaction)
    {
        _writing.Clear();
        var now = Environment.TickCount64;
        if (now - _writtenAt < MillisecondsBetween)
        {
            return;
        }

        lock (_changed)
        {
            _writing.AddRange(_changed);
            _changed.Clear();
            _writtenAt = _writing.Count > 0 ? now : _writtenAt;
        }

        foreach (var (consumer, topic, partition) in _writing)
        {
            Put(transaction, consumer, topic, partition);
        }
    }

    /// <summary>What was added came to nothing and waits again.</summary>
    public void NotWritten()
    {
        lock (_changed)
        {
            _changed.UnionWith(_writing);
        }
    }

    public static void Put(Transaction transaction, string consumer, Topic topic, int partition) => transaction.Put(
        Key(consumer, topic, partition), Ledger.OfOffset(topic.ConsumerOffset(consumer, partition)));

    public static void Remove(Transaction transaction, string consumer, Topic topic, int partition) =>
        transaction.Put(Key(consumer, topic, partition), null);

    private static byte[] Key(string consumer, Topic topic, int partition) => LedgerKey.Of(LedgerKey.Consumer,
        consumer, topic.Name, partition.ToString(CultureInfo.InvariantCulture));
}
