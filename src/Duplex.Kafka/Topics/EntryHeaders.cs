using System.Globalization;
using System.Text;
using Confluent.Kafka;

namespace Duplex.Kafka.Topics;

/// <summary>
/// The headers of an entry, all text: who wrote it (<c>duplex.source</c>), the delivery (<c>duplex.delivery</c>:
/// <see cref="Duplex.Sdk.DeliveryId"/>), the
/// operation (<c>duplex.op</c>: Debezium's letter), and its place in its partition (<c>duplex.sum</c>: how many entries
/// there were with it, a colon, and their bytes).
/// </summary>
internal static class EntryHeaders
{
    private const string Source = "duplex.source";
    private const string Delivery = "duplex.delivery";
    private const string Operation = "duplex.op";
    private const string Sum = "duplex.sum";

    public static Headers Make(byte[] source, string? delivery, ReadOnlySpan<byte> envelope, long count, long bytes)
    {
        var headers = new Headers { { Source, source } };
        if (delivery is not null)
        {
            headers.Add(Delivery, Encoding.UTF8.GetBytes(delivery));
        }

        if (Letter(envelope) is { } letter)
        {
            headers.Add(Operation, [letter]);
        }

        headers.Add(Sum, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{count}:{bytes}")));
        return headers;
    }

    /// <summary>The delivery's id, or null.</summary>
    public static string? DeliveryOf(Headers headers) =>
        headers.TryGetLastBytes(Delivery, out var id) ? Encoding.UTF8.GetString(id) : null;

    /// <summary>How many entries there were with this one, and their bytes; zeros for an entry of somebody
    /// else.</summary>
    public static (long Count, long Bytes) SumOf(Headers headers)
    {
        if (!headers.TryGetLastBytes(Sum, out var text))
        {
            return default;
        }

        var parts = Encoding.ASCII.GetString(text).Split(':');
        return parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? (count, bytes) : default;
    }

    // Every source of ours writes the operation first; a change that does not is posted without this header.
    private static byte? Letter(ReadOnlySpan<byte> envelope)
    {
        ReadOnlySpan<byte> start = "{\"op\":\""u8;
        return envelope.Length > start.Length + 1 && envelope.StartsWith(start) && envelope[start.Length + 1] == '"'
            ? envelope[start.Length] : null;
    }
}
