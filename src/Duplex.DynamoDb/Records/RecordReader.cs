using Amazon.DynamoDBv2.Model;
using Duplex.DynamoDb.Heads;
using Duplex.DynamoDb.Requests;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.DynamoDb.Records;

/// <summary>Reads pages of one feed: only what its head covers, each record whole.</summary>
internal sealed class RecordReader(DynamoDbClient client, FeedTables tables, FeedHead head)
{
    /// <summary>A page is no larger than this, whatever its limit, so that many readers fit into memory.</summary>
    private const long PageBytesMax = 8 << 20;

    private readonly List<FeedRecord> _records = [];
    private Dictionary<string, AttributeValue>? _first;
    private long _offset;
    private MemoryStream? _data;
    private int _missing;
    private long _bytes;

    /// <summary>Records after an offset. Fewer than are there where they are large, or where retention overtakes the
    /// reading.</summary>
    public async Task<List<FeedRecord>> ReadAsync(
        long after, int limit, string? table, CancellationToken cancellationToken)
    {
        var request = Request(after, limit, table);
        var filled = false;
        do
        {
            var page = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            foreach (var item in page.Items ?? [])
            {
                Add(item);
                filled = _records.Count >= limit || (_bytes >= PageBytesMax && _records.Count > 0);
                if (filled)
                {
                    break;
                }
            }

            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (!filled && request.ExclusiveStartKey is { Count: > 0 });
        await AcknowledgeAsync(cancellationToken).ConfigureAwait(false);
        return _records;
    }

    private QueryRequest Request(long after, int limit, string? table)
    {
        var request = new QueryRequest
        {
            TableName = tables.Records,
            ConsistentRead = true,
            KeyConditionExpression = $"{FeedTables.Feed} = :f AND {FeedTables.Sort} BETWEEN :from AND :to",
            ExpressionAttributeValues = new Dictionary<string, AttributeValue>
            {
                [":f"] = new() { S = head.Name },
                [":from"] = new() { S = RecordKeys.Of(after + 1) },
                [":to"] = new() { S = RecordKeys.Of(head.Last) + RecordKeys.End },
            },
        };
        if (table is null)
        {
            request.Limit = limit;
        }
        else
        {
            request.FilterExpression = $"{RecordItems.Table} = :t";
            request.ExpressionAttributeValues[":t"] = new AttributeValue { S = table };
        }

        return request;
    }

    private void Add(Dictionary<string, AttributeValue> item)
    {
        var (offset, stamp, part) = RecordKeys.Read(item[FeedTables.Sort].S);
        if (stamp != head.StampOf(offset))
        {
            return;
        }

        var data = RecordItems.DataOf(item);
        if (part == 0)
        {
            _first = item;
            _offset = offset;
            _missing = RecordItems.PartsOf(item);
            if (_missing == 1)
            {
                Complete(data);
                return;
            }

            _data = new MemoryStream();
        }

        if (_first is null || offset != _offset || _data is null)
        {
            return;
        }

        _data.Write(data.Span);
        if (--_missing == 0)
        {
            Complete(_data.ToArray());
        }
    }

    private void Complete(ReadOnlyMemory<byte> data)
    {
        _records.Add(RecordItems.Read(_first!, _offset, data));
        _bytes += data.Length;
        _first = null;
        _data = null;
    }

    /// <summary>Marks records as delivered that a consumer has acknowledged.</summary>
    private async Task AcknowledgeAsync(CancellationToken cancellationToken)
    {
        if (_records.Count == 0)
        {
            return;
        }

        var marks = await ReadMarksAsync(_records[0].Offset, _records[^1].Offset, cancellationToken)
            .ConfigureAwait(false);
        var mark = 0;
        for (var index = 0; index < _records.Count; index++)
        {
            var record = _records[index];
            while (mark < marks.Count && marks[mark].UpTo < record.Offset)
            {
                mark++;
            }

            if (mark < marks.Count && record.Status == FeedStatus.Pending)
            {
                _records[index] = record with
                {
                    Status = FeedStatus.Delivered,
                    UpdatedMicros = Math.Max(record.UpdatedMicros, marks[mark].AtMicros),
                };
            }
        }
    }

    private async Task<List<(long UpTo, long AtMicros)>> ReadMarksAsync(
        long from, long to, CancellationToken cancellationToken)
    {
        var marks = new List<(long UpTo, long AtMicros)>();
        var request = new QueryRequest
        {
            TableName = tables.Records,
            ConsistentRead = true,
            Limit = 100,
            KeyConditionExpression = $"{FeedTables.Feed} = :f AND {FeedTables.Sort} BETWEEN :from AND :to",
            ExpressionAttributeValues = new Dictionary<string, AttributeValue>
            {
                [":f"] = new() { S = head.Name },
                [":from"] = new() { S = RecordKeys.Acknowledgement(from) },
                [":to"] = new() { S = "a#" + RecordKeys.End },
            },
        };
        do
        {
            var page = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            marks.AddRange((page.Items ?? []).Select(static item => (
                RecordKeys.ReadAcknowledgement(item[FeedTables.Sort].S),
                RecordItems.Number(item, RecordItems.Stored))));
            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (request.ExclusiveStartKey is { Count: > 0 } && marks[^1].UpTo < to);
        return marks;
    }
}
