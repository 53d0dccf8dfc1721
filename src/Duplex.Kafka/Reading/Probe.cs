using Confluent.Kafka;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Topics;
using KafkaCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Reading;

/// <summary>Looks at single entries: the first or last of a partition, or the one where a bound is crossed. On one
/// thread.</summary>
internal sealed class Probe(ClientFactory clients) : IDisposable
{
    private const int PartitionsAtOnce = 200;
    private const long TailOffsets = 4;
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);
    private readonly IConsumer<byte[], byte[]> _consumer =
        clients.Consumer(clients.Name("duplex.reader"), headers: true, ends: true);

    /// <summary>Finds out what partitions hold.</summary>
    public void Measure(IReadOnlyList<PartitionLog> partitions)
    {
        foreach (var some in partitions.Chunk(PartitionsAtOnce))
        {
            var ends = some.ToDictionary(static p => p, p => Ends(At(p)));
            var full = some.Where(p => ends[p].High > ends[p].Low).ToList();
            var lasts = Lasts(full, ends);
            var firsts = Find([.. lasts.Keys.Select(p => (p, ends[p].Low.Value))], last: false);
            foreach (var partition in some)
            {
                var (low, high) = (ends[partition].Low.Value, ends[partition].High.Value);
                partition.Publish(firsts.TryGetValue(partition, out var first)
                    ? new Extent(low, lasts[partition].Offset, Math.Max(0, first.Count - 1),
                        Math.Max(0, first.Bytes - first.OwnBytes), lasts[partition].Count, lasts[partition].Bytes,
                        first.Micros)
                    : low == high ? Extent.Emptied(high) : Extent.Empty(low));
            }
        }
    }

    /// <summary>The lowest offset of the partition that the cluster still has.</summary>
    public long Low(PartitionLog partition) => Ends(At(partition)).Low.Value;

    /// <summary>The first entry at or after the offset; null if there is none.</summary>
    public EntryStamp? FirstAt(PartitionLog partition, long offset) =>
        Find([(partition, offset)], last: false).GetValueOrDefault(partition);

    /// <summary>
    /// The first entry from <paramref name="from"/> on that must stay; <paramref name="to"/> if none before it must. What
    /// stays is followed by what stays.
    /// </summary>
    public long Cut(PartitionLog partition, long from, long to, Predicate<EntryStamp> stays)
    {
        var (low, high, cut) = (from, to, to);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (FirstAt(partition, middle) is not { } entry || entry.Offset >= high)
            {
                high = middle;
            }
            else if (stays(entry))
            {
                cut = entry.Offset;
                high = middle;
            }
            else
            {
                low = entry.Offset + 1;
            }
        }

        return cut;
    }

    /// <summary>Every delivery id from the offset on, in order, with the milliseconds since 1970 UTC at which it was
    /// appended.</summary>
    public IEnumerable<(string Id, long Offset, long Millis)> Deliveries(PartitionLog partition, long from)
    {
        var last = partition.Extent.Last;
        if (last < from)
        {
            yield break;
        }

        GoTo([new TopicPartitionOffset(At(partition), from)]);
        while (true)
        {
            var entry = Next(At(partition));
            if (entry.IsPartitionEOF || entry.Offset.Value > last)
            {
                break;
            }

            if (EntryHeaders.DeliveryOf(entry.Message.Headers) is { } id)
            {
                yield return (id, entry.Offset.Value, entry.Message.Timestamp.UnixTimestampMs);
            }

            if (entry.Offset.Value == last)
            {
                break;
            }
        }

        _consumer.Unassign();
    }

    public void Dispose() => _consumer.Dispose();

    // Asked first, the client knows the topic's leader at once; otherwise it finds out within a second.
    private void GoTo(IReadOnlyCollection<TopicPartitionOffset> starts)
    {
        Ends(starts.First().TopicPartition);
        _consumer.Assign(starts);
    }

    // A topic that was just made, or a partition that moves, has no leader for a moment.
    private WatermarkOffsets Ends(TopicPartition partition)
    {
        var deadline = Environment.TickCount64 + (long)Within.TotalMilliseconds;
        while (true)
        {
            try
            {
                return _consumer.QueryWatermarkOffsets(partition, Within);
            }
            catch (KafkaException e) when (e.Error.Code is KafkaCode.NotLeaderForPartition
                or KafkaCode.LeaderNotAvailable or KafkaCode.UnknownTopicOrPart or KafkaCode.Local_UnknownPartition
                && Environment.TickCount64 < deadline)
            {
                Thread.Sleep(50);
            }
        }
    }

    private Dictionary<PartitionLog, EntryStamp> Lasts(
        IReadOnlyCollection<PartitionLog> partitions, Dictionary<PartitionLog, WatermarkOffsets> ends)
    {
        var found = new Dictionary<PartitionLog, EntryStamp>();
        var left = partitions.ToList();
        // The end may be ends of transactions only: further back, then, and further.
        for (var back = TailOffsets; left.Count > 0; back *= 16)
        {
            var starts = left.Select(p => (p, Math.Max(ends[p].Low.Value, ends[p].High.Value - back))).ToList();
            foreach (var (partition, last) in Find(starts, last: true))
            {
                found[partition] = last;
            }

            left = [.. starts.Where(s => !found.ContainsKey(s.p) && s.Item2 > ends[s.p].Low.Value)
                .Select(static s => s.p)];
        }

        return found;
    }

    private Dictionary<PartitionLog, EntryStamp> Find(
        IReadOnlyCollection<(PartitionLog Partition, long From)> starts, bool last)
    {
        var found = new Dictionary<PartitionLog, EntryStamp>();
        if (starts.Count == 0)
        {
            return found;
        }

        var open = starts.ToDictionary(static s => At(s.Partition), static s => s.Partition);
        GoTo([.. starts.Select(static s => new TopicPartitionOffset(At(s.Partition), s.From))]);
        while (open.Count > 0)
        {
            var entry = Next(open.Keys.First());
            if (!open.TryGetValue(entry.TopicPartition, out var partition))
            {
                continue;
            }

            if (entry.IsPartitionEOF)
            {
                open.Remove(entry.TopicPartition);
                continue;
            }

            found[partition] = EntryStamp.Of(entry);
            if (!last)
            {
                open.Remove(entry.TopicPartition);
            }
        }

        _consumer.Unassign();
        return found;
    }

    private ConsumeResult<byte[], byte[]> Next(TopicPartition expected)
    {
        var deadline = Environment.TickCount64 + (long)Within.TotalMilliseconds;
        while (Environment.TickCount64 < deadline)
        {
            try
            {
                if (_consumer.ConsumeAwake(expected, TimeSpan.FromMilliseconds(200)) is { } result)
                {
                    return result;
                }
            }
            catch (ConsumeException e) when (!Faults.IsRemoved(e.Error) && !e.Error.IsFatal)
            {
                // The client goes on by itself.
            }
        }

        throw new KafkaException(KafkaCode.Local_TimedOut);
    }

    private static TopicPartition At(PartitionLog partition) => new(partition.Topic.KafkaName, partition.Number);
}
