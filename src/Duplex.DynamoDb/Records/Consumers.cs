using Amazon.DynamoDBv2.Model;
using Duplex.DynamoDb.Heads;
using Duplex.DynamoDb.Requests;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.DynamoDb.Records;

/// <summary>Consumers' positions, what they have acknowledged, and what became of pushes.</summary>
internal sealed class Consumers(DynamoDbClient client, FeedTables tables, TimeProvider clock)
{
    private const string Position = "pos";
    private const int UpdatesAtOnce = 16;

    public async Task<long?> ReadAsync(string feed, string consumer, CancellationToken cancellationToken)
    {
        var response = await client.SendAsync(new GetItemRequest
        {
            TableName = tables.Records,
            Key = RecordKeys.Item(feed, RecordKeys.Consumer(consumer)),
            ConsistentRead = true,
        }, cancellationToken).ConfigureAwait(false);
        return response.Item is { Count: > 0 } item ? RecordItems.Number(item, Position) : null;
    }

    public async Task<Dictionary<string, long>> ListAsync(string feed, CancellationToken cancellationToken)
    {
        var consumers = new Dictionary<string, long>(StringComparer.Ordinal);
        var request = new QueryRequest
        {
            TableName = tables.Records,
            ConsistentRead = true,
            KeyConditionExpression = $"{FeedTables.Feed} = :f AND begins_with({FeedTables.Sort}, :c)",
            ExpressionAttributeValues = new Dictionary<string, AttributeValue>
            {
                [":f"] = new() { S = feed },
                [":c"] = new() { S = RecordKeys.Consumer("") },
            },
        };
        do
        {
            var page = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            foreach (var item in page.Items ?? [])
            {
                consumers[item[FeedTables.Sort].S[RecordKeys.Consumer("").Length..]] =
                    RecordItems.Number(item, Position);
            }

            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (request.ExclusiveStartKey is { Count: > 0 });
        return consumers;
    }

    public async Task CommitAsync(
        string feed, string consumer, long offset, bool rewind, CancellationToken cancellationToken)
    {
        // What is acknowledged is stored before the position: a position never stands behind records that read as
        // pending for ever.
        await AcknowledgeAsync(feed, offset, cancellationToken).ConfigureAwait(false);
        await TryUpdateAsync(new UpdateItemRequest
        {
            TableName = tables.Records,
            Key = RecordKeys.Item(feed, RecordKeys.Consumer(consumer)),
            UpdateExpression = $"SET {Position} = :o",
            ConditionExpression = rewind ? null : $"attribute_not_exists({Position}) OR {Position} < :o",
            ExpressionAttributeValues = new Dictionary<string, AttributeValue> { [":o"] = FeedHeads.Number(offset) },
        }, cancellationToken).ConfigureAwait(false);
    }

    public Task RecordAsync(
        FeedHead head, IReadOnlyList<FeedDelivery> deliveries, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(deliveries.Where(d => d.Offset >= head.First && d.Offset <= head.Last),
            new ParallelOptions { MaxDegreeOfParallelism = UpdatesAtOnce, CancellationToken = cancellationToken },
            async (delivery, token) => await RecordAsync(head, delivery, token).ConfigureAwait(false));

    private Task RecordAsync(FeedHead head, FeedDelivery delivery, CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, AttributeValue>
        {
            [":s"] = FeedHeads.Number((long)delivery.Status),
            [":n"] = FeedHeads.Number(delivery.Attempts),
            [":u"] = FeedHeads.Number(clock.NowMicros()),
        };
        var update = $"SET {RecordItems.Status} = :s, {RecordItems.Attempts} = :n, {RecordItems.Updated} = :u";
        if (delivery.Error is null)
        {
            update += $" REMOVE {RecordItems.Error}";
        }
        else
        {
            update += $", {RecordItems.Error} = :e";
            values[":e"] = new AttributeValue { S = delivery.Error };
        }

        return TryUpdateAsync(new UpdateItemRequest
        {
            TableName = tables.Records,
            Key = RecordKeys.Item(head.Name, RecordKeys.Of(delivery.Offset, head.StampOf(delivery.Offset))),
            UpdateExpression = update,
            // Retention may have removed it since; an update would make half a record of it.
            ConditionExpression = $"attribute_exists({RecordItems.Stored})",
            ExpressionAttributeValues = values,
        }, cancellationToken);
    }

    private async Task AcknowledgeAsync(string feed, long offset, CancellationToken cancellationToken)
    {
        var highest = await client.SendAsync(new QueryRequest
        {
            TableName = tables.Records,
            ConsistentRead = true,
            ScanIndexForward = false,
            Limit = 1,
            KeyConditionExpression = $"{FeedTables.Feed} = :f AND begins_with({FeedTables.Sort}, :a)",
            ExpressionAttributeValues = new Dictionary<string, AttributeValue>
            {
                [":f"] = new() { S = feed },
                [":a"] = new() { S = "a#" },
            },
        }, cancellationToken).ConfigureAwait(false);
        var acknowledged = highest.Items is { Count: > 0 } found
            ? RecordKeys.ReadAcknowledgement(found[0][FeedTables.Sort].S)
            : 0;
        if (offset > acknowledged)
        {
            await TryUpdateAsync(new UpdateItemRequest
            {
                TableName = tables.Records,
                Key = RecordKeys.Item(feed, RecordKeys.Acknowledgement(offset)),
                UpdateExpression = $"SET {RecordItems.Stored} = :u",
                ConditionExpression = $"attribute_not_exists({RecordItems.Stored})",
                ExpressionAttributeValues =
                    new Dictionary<string, AttributeValue> { [":u"] = FeedHeads.Number(clock.NowMicros()) },
            }, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task TryUpdateAsync(UpdateItemRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (ConditionalCheckFailedException)
        {
            // What the condition protects stands already.
        }
    }
}
