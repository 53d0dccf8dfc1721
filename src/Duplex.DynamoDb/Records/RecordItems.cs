using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Amazon.DynamoDBv2.Model;
using Duplex.DynamoDb.Heads;
using Duplex.DynamoDb.Requests;
using Duplex.Engine.Feeds;
using Duplex.Sdk;
using WriteRequest = Amazon.DynamoDBv2.Model.WriteRequest;

namespace Duplex.DynamoDb.Records;

/// <summary>A record as items: one, and more where its data is larger than an item may be.</summary>
internal static class RecordItems
{
    public const string Table = "tbl";
    public const string Stored = "stored_us";
    public const string Payload = "payload";
    public const string Status = "st";
    public const string Attempts = "tries";
    public const string Updated = "updated_us";
    public const string Error = "fault";
    private const string Key = "k";
    private const string Data = "d";
    private const string Operation = "op";
    private const string EventId = "evt";
    private const string Version = "ver";
    private const string Source = "src";
    private const string SourceOffset = "src_offset";
    private const string SourceMicros = "src_us";
    private const string Parts = "parts";

    /// <summary>An item has at most 400 KB, names of attributes included.</summary>
    private const int PartBytes = 256 * 1024;

    private const int HeaderBytesMax = 100 * 1024;

    /// <summary>Refuses what no number of parts can hold.</summary>
    public static void Check(string feed, in FeedItem item)
    {
        var header = item.Key.Length + Encoding.UTF8.GetByteCount(item.Table)
            + Encoding.UTF8.GetByteCount(item.EventId ?? "") + Encoding.UTF8.GetByteCount(item.Version ?? "");
        if (header > HeaderBytesMax || item.Data.Length > PartBytes * 999L)
        {
            throw new SyncException(ErrorCode.SinkRejected,
                $"A record of table {item.Table} is too large for feed {feed}: DynamoDB keeps {HeaderBytesMax} "
                + $"bytes of key, event id and version, and it has {header}.",
                "Give the record a shorter key, event id or version, or keep feeds in the data directory.");
        }
    }

    public static IEnumerable<SizedWrite> Write(
        string feed, long offset, string stamp, string source, FeedItem item, long micros)
    {
        var parts = Math.Max(1, (item.Data.Length + PartBytes - 1) / PartBytes);
        for (var part = 0; part < parts; part++)
        {
            var attributes = RecordKeys.Item(feed, RecordKeys.Of(offset, stamp, part));
            attributes[Table] = new AttributeValue { S = item.Table };
            if (part == 0)
            {
                WriteHeader(attributes, source, item, micros, parts);
            }

            var data = item.Data.Slice(part * PartBytes, Math.Min(PartBytes, item.Data.Length - (part * PartBytes)));
            if (!data.IsEmpty)
            {
                attributes[Data] = Bytes(data);
            }

            yield return new SizedWrite(
                new WriteRequest(new PutRequest(attributes)), (data.Length * 4 / 3) + (item.Key.Length * 2) + 1024);
        }
    }

    /// <summary>Reads the first item of a record, without what became of its delivery by acknowledgement.</summary>
    public static FeedRecord Read(Dictionary<string, AttributeValue> item, long offset, ReadOnlyMemory<byte> data)
    {
        var stored = Number(item, Stored);
        return new FeedRecord
        {
            Offset = offset,
            Table = item[Table].S,
            Key = DataOf(item, Key),
            Operation = (ChangeOperation)Number(item, Operation),
            EventId = Text(item, EventId),
            Version = Text(item, Version),
            SourceMicros = Number(item, SourceMicros),
            Source = item[Source].S,
            SourceOffset = Number(item, SourceOffset),
            Data = data,
            CreatedMicros = stored,
            UpdatedMicros = item.ContainsKey(Updated) ? Number(item, Updated) : stored,
            Status = item.ContainsKey(Status) ? (FeedStatus)Number(item, Status) : FeedStatus.Pending,
            Attempts = item.ContainsKey(Attempts) ? (int)Number(item, Attempts) : 0,
            Error = Text(item, Error),
        };
    }

    /// <summary>Of how many items the record consists.</summary>
    public static int PartsOf(Dictionary<string, AttributeValue> item) => (int)Number(item, Parts);

    public static ReadOnlyMemory<byte> DataOf(Dictionary<string, AttributeValue> item) => DataOf(item, Data);

    public static long Number(Dictionary<string, AttributeValue> item, string name) =>
        long.Parse(item[name].N, CultureInfo.InvariantCulture);

    private static void WriteHeader(
        Dictionary<string, AttributeValue> attributes, string source, in FeedItem item, long micros, int parts)
    {
        if (!item.Key.IsEmpty)
        {
            attributes[Key] = Bytes(item.Key);
        }

        attributes[Operation] = FeedHeads.Number((long)item.Operation);
        attributes[Source] = new AttributeValue { S = source };
        attributes[SourceOffset] = FeedHeads.Number(item.SourceOffset);
        attributes[SourceMicros] = FeedHeads.Number(item.SourceMicros);
        attributes[Stored] = FeedHeads.Number(micros);
        attributes[Payload] = FeedHeads.Number(item.Key.Length + item.Data.Length);
        attributes[Parts] = FeedHeads.Number(parts);
        if (item.EventId is not null)
        {
            attributes[EventId] = new AttributeValue { S = item.EventId };
        }

        if (item.Version is not null)
        {
            attributes[Version] = new AttributeValue { S = item.Version };
        }
    }

    private static AttributeValue Bytes(ReadOnlyMemory<byte> bytes) => new()
    {
        B = MemoryMarshal.TryGetArray(bytes, out var segment)
            ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false, publiclyVisible: true)
            : new MemoryStream(bytes.ToArray(), 0, bytes.Length, writable: false, publiclyVisible: true),
    };

    private static string? Text(Dictionary<string, AttributeValue> item, string name) =>
        item.TryGetValue(name, out var value) ? value.S : null;

    private static ReadOnlyMemory<byte> DataOf(Dictionary<string, AttributeValue> item, string name) =>
        item.TryGetValue(name, out var value) ? value.B.ToArray() : ReadOnlyMemory<byte>.Empty;
}
