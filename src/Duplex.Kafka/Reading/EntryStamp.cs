using Confluent.Kafka;
using Duplex.Kafka.Topics;

namespace Duplex.Kafka.Reading;

/// <summary>An entry's place, without the entry.</summary>
/// <param name="Offset">Its offset.</param>
/// <param name="Micros">When it was appended, microseconds since 1970 UTC.</param>
/// <param name="Count">How many entries there were with it.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="OwnBytes">Its own bytes.</param>
internal sealed record EntryStamp(long Offset, long Micros, long Count, long Bytes, int OwnBytes)
{
    public static EntryStamp Of(ConsumeResult<byte[], byte[]> entry)
    {
        var (count, bytes) = EntryHeaders.SumOf(entry.Message.Headers);
        return new EntryStamp(entry.Offset.Value, entry.Message.Timestamp.UnixTimestampMs * 1000, count, bytes,
            (entry.Message.Key?.Length ?? 0) + (entry.Message.Value?.Length ?? 0));
    }
}
