using System.Text;
using Duplex.Engine.Log;
using Duplex.Sdk;

namespace Duplex.Conformance;

/// <summary>Short ways to write to a log and read from it in tests.</summary>
public static class LogFacts
{
    /// <summary>The topic that tests use unless they need more than one.</summary>
    public const string Topic = "acme.shop.customers";

    /// <summary>A batch of changes of the stream <c>customers</c>, one per value, with keys <c>["k0"]</c>,
    /// <c>["k1"]</c>…</summary>
    public static ChangeBatch Batch(Position? position, params string[] values)
    {
        var batch = new ChangeBatch { Position = position };
        for (var index = 0; index < values.Length; index++)
        {
            batch.Add("customers", RecordKey.Of($"k{index}"), Encoding.UTF8.GetBytes(values[index]));
        }

        return batch;
    }

    /// <summary>A batch with one delivery.</summary>
    public static ChangeBatch Delivery(string id, string key, string value)
    {
        var batch = new ChangeBatch();
        batch.Add("customers", RecordKey.Of(key), Encoding.UTF8.GetBytes(value), id);
        return batch;
    }

    /// <summary>Appends to <see cref="Topic"/>.</summary>
    public static async Task<AppendOutcome> AppendAsync(this IChangeLog log, ChangeBatch batch, string source =
        "acme/shop")
    {
        using (batch)
        {
            return await log.AppendAsync(source, batch, static _ => Topic, CancellationToken.None);
        }
    }

    /// <summary>Makes <see cref="Topic"/>.</summary>
    public static async Task EnsureAsync(
        this IChangeLog log, int partitions = 1, TimeSpan? age = null, long bytes = 1L << 30, string topic = Topic) =>
        await log.EnsureTopicAsync(
            new TopicSpec(topic, partitions, age ?? TimeSpan.FromDays(7), bytes), CancellationToken.None);

    /// <summary>Every value of a partition from the offset on, read in pages of the given size.</summary>
    public static async Task<List<string>> ReadAllAsync(
        this IChangeLog log, int partition = 0, long offset = 0, int entriesMax = 100, string topic = Topic)
    {
        var values = new List<string>();
        while (true)
        {
            using var page = await log.ReadAsync(topic, partition, offset, entriesMax, 1 << 20, CancellationToken.None);
            if (page.Count == 0)
            {
                return values;
            }

            for (var index = 0; index < page.Count; index++)
            {
                if (page.Offset(index) < offset)
                {
                    throw new InvalidDataException($"Offset {page.Offset(index)} follows, {offset} or more was expected.");
                }

                offset = page.Offset(index) + 1;
                values.Add(Encoding.UTF8.GetString(page.Value(index).Span));
            }
        }
    }

    /// <summary>The offset of every entry of a partition from the given one on. Offsets may leave some out.</summary>
    public static async Task<List<long>> OffsetsAsync(
        this IChangeLog log, int partition = 0, long offset = 0, string topic = Topic)
    {
        var offsets = new List<long>();
        while (true)
        {
            using var page = await log.ReadAsync(topic, partition, offset, 1000, 1 << 20, CancellationToken.None);
            if (page.Count == 0)
            {
                return offsets;
            }

            offsets.AddRange(Enumerable.Range(0, page.Count).Select(page.Offset));
            offset = offsets[^1] + 1;
        }
    }

    /// <summary>The state of one partition.</summary>
    public static async Task<PartitionState> DescribeAsync(this IChangeLog log, int partition, string topic = Topic) =>
        (await log.DescribeAsync(CancellationToken.None)).Single(p => p.Topic == topic && p.Partition == partition);
}
