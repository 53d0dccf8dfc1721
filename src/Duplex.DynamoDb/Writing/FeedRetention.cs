using Amazon.DynamoDBv2.Model;
using Duplex.DynamoDb.Heads;
using Duplex.DynamoDb.Records;
using Duplex.DynamoDb.Requests;
using Duplex.Sdk;
using WriteRequest = Amazon.DynamoDBv2.Model.WriteRequest;

namespace Duplex.DynamoDb.Writing;

/// <summary>Removes old records: the head moves first, so that readers are told, then the items go.</summary>
internal sealed class FeedRetention(DynamoDbClient client, BatchWriter batches, FeedTables tables, TimeProvider clock)
{
    /// <summary>Few enough that appends do not wait long.</summary>
    private const int RecordsPerStep = 2_000;

    /// <summary>Removes what one step allows; the number of records removed.</summary>
    public async Task<long> TrimAsync(FeedAppender appender, CancellationToken cancellationToken)
    {
        var before = 0L;
        var head = await appender.ChangeAsync(
            async from =>
            {
                before = from.First;
                return await ShortenAsync(from, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        if (head is null || head.First == before)
        {
            return 0;
        }

        await RemoveAsync(head.Name, "r#", RecordKeys.Of(head.First), cancellationToken).ConfigureAwait(false);
        await RemoveAsync(head.Name, "a#", RecordKeys.Acknowledgement(head.First), cancellationToken)
            .ConfigureAwait(false);
        return head.First - before;
    }

    private async Task<FeedHead> ShortenAsync(FeedHead head, CancellationToken cancellationToken)
    {
        var cutoff = clock.NowMicros() - head.AgeMicros;
        if (head.First > head.Last || (head.OldestMicros >= cutoff && head.Bytes <= head.BytesMax))
        {
            return head;
        }

        var request = Query(head.Name, RecordKeys.Of(head.First), RecordKeys.Of(head.Last) + RecordKeys.End);
        request.ProjectionExpression = $"{FeedTables.Sort}, {RecordItems.Stored}, {RecordItems.Payload}";
        var to = head;
        do
        {
            var page = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            foreach (var item in page.Items ?? [])
            {
                var (offset, stamp, part) = RecordKeys.Read(item[FeedTables.Sort].S);
                if (part > 0 || stamp != head.StampOf(offset))
                {
                    continue;
                }

                to = to with { OldestMicros = RecordItems.Number(item, RecordItems.Stored) };
                if ((to.OldestMicros >= cutoff && to.Bytes <= head.BytesMax) || offset - head.First >= RecordsPerStep)
                {
                    return Pruned(to);
                }

                to = to with { First = offset + 1, Bytes = to.Bytes - RecordItems.Number(item, RecordItems.Payload) };
            }

            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (request.ExclusiveStartKey is { Count: > 0 });
        return Pruned(to with { OldestMicros = 0 });
    }

    /// <summary>Forgets stamps of which no record is left; the last one stays.</summary>
    private static FeedHead Pruned(FeedHead head) => head with
    {
        Runs = [.. head.Runs.Where((_, n) => n == head.Runs.Count - 1 || head.Runs[n + 1].From > head.First)],
    };

    private async Task RemoveAsync(string feed, string from, string to, CancellationToken cancellationToken)
    {
        var request = Query(feed, from, to);
        request.ProjectionExpression = FeedTables.Sort;
        do
        {
            var page = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            await batches.WriteAsync(tables.Records, (page.Items ?? []).Select(item => new SizedWrite(
                new WriteRequest(new DeleteRequest(RecordKeys.Item(feed, item[FeedTables.Sort].S))), 1024)),
                cancellationToken).ConfigureAwait(false);
            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (request.ExclusiveStartKey is { Count: > 0 });
    }

    private QueryRequest Query(string feed, string from, string to) => new()
    {
        TableName = tables.Records,
        ConsistentRead = true,
        KeyConditionExpression = $"{FeedTables.Feed} = :f AND {FeedTables.Sort} BETWEEN :from AND :to",
        ExpressionAttributeValues = new Dictionary<string, AttributeValue>
        {
            [":f"] = new() { S = feed },
            [":from"] = new() { S = from },
            [":to"] = new() { S = to },
        },
    };
}
