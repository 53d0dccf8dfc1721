using Confluent.Kafka;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Ledgers;
using Duplex.Kafka.Topics;
using Duplex.Sdk;
using ErrorCode = Duplex.Sdk.ErrorCode;
using KafkaCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Writing;

/// <summary>
/// What callers of one group add, in one of Kafka's transactions, which begins with the first thing added. On the
/// writer's thread; only deliveries are told on the client's.
/// </summary>
internal sealed class Transaction(
    IProducer<byte[], byte[]> producer, string ledger, LogCatalog catalog, HashSet<string> met)
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(20);
    private readonly Dictionary<PartitionLog, Growth> _growths = [];
    private readonly Dictionary<string, Position> _positions = new(StringComparer.Ordinal);
    private readonly HashSet<Topic> _topics = [];
    private readonly ManualResetEventSlim _delivered = new();
    // One more than there are, until the commit.
    private int _underWay = 1;
    private Error? _error;

    /// <summary>Whether anything was added.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Refuses a position behind the stored one.</summary>
    public void CheckPosition(string source, Position position)
    {
        var stored = _positions.GetValueOrDefault(source) ?? catalog.Positions.GetValueOrDefault(source);
        if (stored is not null && !position.IsAtOrAfter(stored))
        {
            throw new SyncException(ErrorCode.StorageFenced,
                $"Source {source} is at {stored}; a batch that ends at {position} comes from a reader that was replaced.",
                "Nothing is lost: the reader that is ahead goes on. Let one process only capture this connection.");
        }
    }

    /// <summary>Bytes that were added to a topic.</summary>
    public long BytesOf(Topic topic)
    {
        var bytes = 0L;
        foreach (var (partition, growth) in _growths)
        {
            bytes += partition.Topic == topic ? growth.Bytes - partition.Extent.Bytes : 0;
        }

        return bytes;
    }

    /// <summary>Adds a change.</summary>
    public void Add(PartitionLog partition, byte[] source, ChangeBatch batch, int index, long nowMillis)
    {
        if (!_growths.TryGetValue(partition, out var growth))
        {
            _growths[partition] = growth = new Growth(partition.Extent, nowMillis);
            _topics.Add(partition.Topic);
        }

        var key = batch.Key(index);
        var value = batch.Value(index);
        var id = batch.Id(index);
        growth.Count++;
        growth.Bytes += key.Length + value.Length;
        Produce(partition.Topic.KafkaName, partition.Number, new Message<byte[], byte[]>
        {
            Key = key.IsEmpty ? null! : key.ToArray(),
            Value = value.ToArray(),
            Timestamp = new Timestamp(nowMillis, TimestampType.CreateTime),
            Headers = EntryHeaders.Make(source, id, value, growth.Count, growth.Bytes),
        }, report => growth.Delivered(report.Offset.Value, id));
    }

    /// <summary>Stores where a source has got to.</summary>
    public void Move(string source, Position position) => _positions[source] = position;

    /// <summary>Adds a record of the ledger; null removes it.</summary>
    public void Put(byte[] key, byte[]? value) =>
        Produce(ledger, 0, new Message<byte[], byte[]> { Key = key, Value = value! }, null);

    /// <summary>Writes what is added at the end only.</summary>
    public void Finish()
    {
        foreach (var (source, position) in _positions)
        {
            Put(LedgerKey.Of(LedgerKey.Source, source), Ledger.OfPosition(position));
        }
    }

    /// <summary>Commits. When it returns, every entry has its offset.</summary>
    /// <exception cref="KafkaException">Whether it is committed is open, unless <paramref name="aborted"/>.</exception>
    public void Commit(TimeSpan within, out bool aborted)
    {
        aborted = false;
        var deadline = Environment.TickCount64 + (long)within.TotalMilliseconds;
        while (true)
        {
            var left = TimeSpan.FromMilliseconds(Math.Max(1, deadline - Environment.TickCount64));
            try
            {
                producer.CommitTransaction(left);
                break;
            }
            catch (KafkaRetriableException) when (Environment.TickCount64 < deadline)
            {
                Thread.Sleep(Retry);
            }
            catch (KafkaTxnRequiresAbortException)
            {
                producer.AbortTransaction(left);
                aborted = true;
                throw;
            }
        }

        Arrive();
        // The last report may still be on its way through the client's thread.
        _delivered.Wait(within);
        if (_error is not null)
        {
            throw new KafkaException(_error);
        }
    }

    /// <summary>Shows to readers what is committed.</summary>
    public void Publish()
    {
        foreach (var (source, position) in _positions)
        {
            catalog.Positions[source] = position;
        }

        foreach (var (partition, growth) in _growths)
        {
            growth.Publish(partition);
        }
    }

    /// <summary>Nothing of it is there.</summary>
    public void Forget()
    {
        foreach (var topic in _topics)
        {
            topic.Deliveries?.Abort();
        }
    }

    private void Produce(string topic, int partition, Message<byte[], byte[]> message,
        Action<DeliveryReport<byte[], byte[]>>? delivered)
    {
        if (met.Add(topic))
        {
            producer.Meet(topic);
        }

        if (!IsOpen)
        {
            producer.BeginTransaction();
            IsOpen = true;
        }

        Interlocked.Increment(ref _underWay);
        while (true)
        {
            try
            {
                producer.Produce(new TopicPartition(topic, partition), message, report => Ended(report, delivered));
                return;
            }
            catch (ProduceException<byte[], byte[]> e) when (e.Error.Code == KafkaCode.Local_QueueFull)
            {
                Thread.Sleep(Retry);
            }
        }
    }

    private void Ended(
        DeliveryReport<byte[], byte[]> report, Action<DeliveryReport<byte[], byte[]>>? delivered)
    {
        if (report.Error.IsError)
        {
            _error = report.Error;
        }
        else
        {
            delivered?.Invoke(report);
        }

        Arrive();
    }

    private void Arrive()
    {
        if (Interlocked.Decrement(ref _underWay) == 0)
        {
            _delivered.Set();
        }
    }

    /// <summary>What is added to one partition.</summary>
    private sealed class Growth(Extent before, long nowMillis)
    {
        private readonly List<(string Id, long Offset)> _deliveries = [];
        private long _last = -1;

        public long Count { get; set; } = before.Count;

        public long Bytes { get; set; } = before.Bytes;

        public void Delivered(long offset, string? id)
        {
            lock (_deliveries)
            {
                _last = Math.Max(_last, offset);
                if (id is not null)
                {
                    _deliveries.Add((id, offset));
                }
            }
        }

        public void Publish(PartitionLog partition)
        {
            // Retention may have moved the beginning since.
            var now = partition.Extent;
            lock (_deliveries)
            {
                partition.Publish(now with
                {
                    Last = _last,
                    Count = Count,
                    Bytes = Bytes,
                    OldestMicros = now.IsEmpty ? nowMillis * 1000 : now.OldestMicros,
                });
                foreach (var (id, offset) in _deliveries)
                {
                    partition.Topic.Deliveries!.Commit(id, partition, offset);
                }
            }
        }
    }
}
