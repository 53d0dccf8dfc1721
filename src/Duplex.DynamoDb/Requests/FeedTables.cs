using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Duplex.DynamoDb.Requests;

/// <summary>
/// The two tables, made on demand. Heads: one item per feed. Records: everything of a feed under its name; keys that
/// begin with <c>r#</c> are records, <c>c#</c> consumers, <c>a#</c> acknowledgements.
/// </summary>
internal sealed class FeedTables(DynamoDbClient client, string prefix)
{
    /// <summary>The partition key of both tables.</summary>
    public const string Feed = "f";

    /// <summary>The sort key of the records.</summary>
    public const string Sort = "s";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public string Heads { get; } = $"{prefix}feed_heads";

    public string Records { get; } = $"{prefix}feed_records";

    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await EnsureAsync(Heads, [Feed], cancellationToken).ConfigureAwait(false);
        await EnsureAsync(Records, [Feed, Sort], cancellationToken).ConfigureAwait(false);
    }

    private async Task EnsureAsync(string table, string[] keys, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        for (var attempt = 0; await StatusAsync(table, cancellationToken).ConfigureAwait(false) is var status
            && status != TableStatus.ACTIVE; attempt++)
        {
            if (status is null)
            {
                await CreateAsync(table, keys, cancellationToken).ConfigureAwait(false);
            }

            if (deadline.IsCancellationRequested)
            {
                throw client.Unavailable($"table {table} is not active within {Patience.TotalMinutes} minutes.");
            }

            await DynamoDbClient.PauseAsync(attempt, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<TableStatus?> StatusAsync(string table, CancellationToken cancellationToken)
    {
        try
        {
            var described = await client.SendAsync(
                new DescribeTableRequest { TableName = table }, cancellationToken).ConfigureAwait(false);
            return described.Table.TableStatus;
        }
        catch (ResourceNotFoundException)
        {
            return null;
        }
    }

    private async Task CreateAsync(string table, string[] keys, CancellationToken cancellationToken)
    {
        var request = new CreateTableRequest
        {
            TableName = table,
            BillingMode = BillingMode.PAY_PER_REQUEST,
            AttributeDefinitions =
                [.. keys.Select(static key => new AttributeDefinition(key, ScalarAttributeType.S))],
            KeySchema =
                [.. keys.Select(static (key, n) => new KeySchemaElement(key, n == 0 ? KeyType.HASH : KeyType.RANGE))],
        };
        try
        {
            await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (ResourceInUseException)
        {
            // Another process makes it at the same time.
        }
    }
}
