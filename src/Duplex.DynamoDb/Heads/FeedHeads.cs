using System.Globalization;
using System.Text;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Duplex.DynamoDb.Requests;
using Duplex.Engine.Feeds;

namespace Duplex.DynamoDb.Heads;

/// <summary>Reads and changes heads. Every change holds only for the epoch and the end that it was made for.</summary>
internal sealed class FeedHeads(DynamoDbClient client, FeedTables tables)
{
    /// <summary>The head; null if there is no such feed.</summary>
    public async Task<FeedHead?> FindAsync(string feed, CancellationToken cancellationToken)
    {
        var response = await client.SendAsync(
            new GetItemRequest { TableName = tables.Heads, Key = Key(feed), ConsistentRead = true }, cancellationToken)
            .ConfigureAwait(false);
        return response.Item is { Count: > 0 } item ? FeedHead.Read(item) : null;
    }

    public async Task<FeedHead> GetAsync(string feed, CancellationToken cancellationToken) =>
        await FindAsync(feed, cancellationToken).ConfigureAwait(false) ?? throw FeedRefusals.Unknown(feed);

    public async Task<List<FeedHead>> ListAsync(CancellationToken cancellationToken)
    {
        var heads = new List<FeedHead>();
        var request = new ScanRequest { TableName = tables.Heads, ConsistentRead = true };
        do
        {
            var response = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            heads.AddRange((response.Items ?? []).Select(FeedHead.Read));
            request.ExclusiveStartKey = response.LastEvaluatedKey;
        }
        while (request.ExclusiveStartKey is { Count: > 0 });
        return heads;
    }

    /// <summary>Creates the head or takes it over, with the next epoch.</summary>
    public async Task<FeedHead> AcquireAsync(FeedSpec spec, CancellationToken cancellationToken)
    {
        var response = await client.SendAsync(new UpdateItemRequest
        {
            TableName = tables.Heads,
            Key = Key(spec.Name),
            UpdateExpression =
                $"SET {Initially(HeadAttributes.First, ":one")}, {Initially(HeadAttributes.Last, ":zero")}, "
                + $"{Initially(HeadAttributes.Bytes, ":zero")}, {Initially(HeadAttributes.Oldest, ":zero")}, "
                + $"{Initially(HeadAttributes.Sources, ":none")}, {HeadAttributes.Age} = :age, "
                + $"{HeadAttributes.BytesMax} = :bytes ADD {HeadAttributes.Epoch} :one",
            ExpressionAttributeValues = new Dictionary<string, AttributeValue>
            {
                [":one"] = Number(1),
                [":zero"] = Number(0),
                [":none"] = new() { M = [], IsMSet = true },
                [":age"] = Number(spec.RetentionAge.Ticks / TimeSpan.TicksPerMicrosecond),
                [":bytes"] = Number(spec.RetentionBytes),
            },
            ReturnValues = ReturnValue.ALL_NEW,
        }, cancellationToken).ConfigureAwait(false);
        return FeedHead.Read(response.Attributes);
    }

    /// <summary>Replaces a head by the next one of the same writer.</summary>
    /// <exception cref="ConditionalCheckFailedException">The head is another one by now.</exception>
    public Task ReplaceAsync(FeedHead from, FeedHead to, CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, AttributeValue>
        {
            [":epoch"] = Number(from.Epoch),
            [":from_last"] = Number(from.Last),
            [":from_first"] = Number(from.First),
            [":first"] = Number(to.First),
            [":last"] = Number(to.Last),
            [":bytes"] = Number(to.Bytes),
            [":oldest"] = Number(to.OldestMicros),
            [":runs"] = new() { S = StampedRun.WriteAll(to.Runs) },
        };
        var update = new StringBuilder(
            $"SET {HeadAttributes.First} = :first, {HeadAttributes.Last} = :last, {HeadAttributes.Bytes} = :bytes, "
            + $"{HeadAttributes.Oldest} = :oldest, {HeadAttributes.Runs} = :runs");
        Dictionary<string, string>? names = null;
        foreach (var (source, last) in to.Sources)
        {
            if (from.Sources.GetValueOrDefault(source, -1) != last)
            {
                names ??= [];
                update.Append(CultureInfo.InvariantCulture,
                    $", {HeadAttributes.Sources}.#s{names.Count} = :s{names.Count}");
                values[$":s{names.Count}"] = Number(last);
                names[$"#s{names.Count}"] = source;
            }
        }

        return client.SendAsync(new UpdateItemRequest
        {
            TableName = tables.Heads,
            Key = Key(from.Name),
            UpdateExpression = update.ToString(),
            ConditionExpression = $"{HeadAttributes.Epoch} = :epoch AND {HeadAttributes.Last} = :from_last "
                + $"AND {HeadAttributes.First} = :from_first",
            ExpressionAttributeNames = names,
            ExpressionAttributeValues = values,
        }, cancellationToken);
    }

    internal static AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };

    private static string Initially(string name, string value) => $"{name} = if_not_exists({name}, {value})";

    private static Dictionary<string, AttributeValue> Key(string feed) =>
        new() { [FeedTables.Feed] = new AttributeValue { S = feed } };
}
