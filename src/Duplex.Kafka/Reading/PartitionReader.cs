using Confluent.Kafka;
using Duplex.Engine.Log;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Topics;
using Duplex.Sdk;
using ErrorCode = Duplex.Sdk.ErrorCode;
using KafkaCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Reading;

/// <summary>
/// Reads one partition at a time, and fetches ahead of what it was asked for. Used by one caller at a time.
/// </summary>
internal sealed class PartitionReader(ClientFactory clients) : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(200);
    private readonly IConsumer<byte[], byte[]> _consumer =
        clients.Consumer(clients.Name("duplex.reader"), headers: false, ends: false);

    private ConsumeResult<byte[], byte[]>? _held;

    /// <summary>The partition that it reads; null before the first page.</summary>
    public PartitionLog? Partition { get; private set; }

    /// <summary>The offset that it goes on with.</summary>
    public long Next { get; private set; }

    /// <summary>Reads a page of a partition that holds an entry at or after the offset.</summary>
    public LogPage Read(PageRequest request, CancellationToken cancellationToken)
    {
        var page = new LogPage(Math.Min(request.BytesMax, 64 * 1024));
        try
        {
            if (!ReferenceEquals(Partition, request.Partition) || Next != request.Offset)
            {
                Turn(request);
            }

            Fill(page, request, cancellationToken);
            return page;
        }
        catch (Exception e)
        {
            page.Dispose();
            // Where the client stands is uncertain: the next page begins anew.
            Partition = null;
            throw e is KafkaException kafka
                ? new SyncException(Faults.Unavailable("The log cannot be read", kafka.Error), kafka) : e;
        }
    }

    public void Dispose() => _consumer.Dispose();

    private void Turn(PageRequest request)
    {
        _held = null;
        var start = new TopicPartitionOffset(
            request.Partition.Topic.KafkaName, request.Partition.Number, request.Offset);
        // Asked first, the client knows the topic's leader at once; otherwise it finds out within a second.
        _consumer.QueryWatermarkOffsets(start.TopicPartition, Within);
        _consumer.Assign(start);
        Partition = request.Partition;
        Next = request.Offset;
    }

    private void Fill(LogPage page, PageRequest request, CancellationToken cancellationToken)
    {
        var deadline = Environment.TickCount64 + (long)Within.TotalMilliseconds;
        while (page.Count < request.EntriesMax && Next <= request.Last)
        {
            if ((_held ?? Take(page.Count > 0 ? TimeSpan.Zero : Step)) is not { } entry)
            {
                if (page.Count > 0)
                {
                    return;
                }

                cancellationToken.ThrowIfCancellationRequested();
                if (Environment.TickCount64 > deadline)
                {
                    throw new SyncException(
                        Faults.Unavailable("The log cannot be read", new Error(KafkaCode.Local_TimedOut)));
                }

                continue;
            }

            _held = entry;
            var bytes = (entry.Message.Key?.Length ?? 0) + (entry.Message.Value?.Length ?? 0);
            if (entry.Offset.Value > request.Last || (page.Count > 0 && page.Bytes + bytes > request.BytesMax))
            {
                return;
            }

            _held = null;
            Next = entry.Offset.Value + 1;
            page.Add(entry.Offset.Value, entry.Message.Timestamp.UnixTimestampMs * 1000, entry.Message.Key,
                entry.Message.Value);
        }
    }

    private ConsumeResult<byte[], byte[]>? Take(TimeSpan within)
    {
        try
        {
            return _consumer.ConsumeAwake(
                new TopicPartition(Partition!.Topic.KafkaName, Partition.Number), within);
        }
        catch (ConsumeException e) when (Faults.IsRemoved(e.Error))
        {
            throw new SyncException(ErrorCode.StorageUnreadable,
                $"Offset {Next} of partition {Partition!.Number} of topic {Partition.Topic.Name} was removed in Kafka.",
                "Run duplex resnapshot on the connection.", e);
        }
        catch (ConsumeException e) when (!e.Error.IsFatal)
        {
            // The client goes on by itself; the deadline bounds it.
            return null;
        }
    }
}

/// <summary>A page that is asked for.</summary>
/// <param name="Partition">Of which partition.</param>
/// <param name="Offset">From which offset on.</param>
/// <param name="Last">The last entry that is known to be committed.</param>
/// <param name="EntriesMax">At most so many entries.</param>
/// <param name="BytesMax">At most so many bytes, but one entry at least.</param>
internal sealed record PageRequest(PartitionLog Partition, long Offset, long Last, int EntriesMax, int BytesMax);
