using Amazon.DynamoDBv2.Model;
using Duplex.Sdk;
using WriteRequest = Amazon.DynamoDBv2.Model.WriteRequest;

namespace Duplex.DynamoDb.Requests;

/// <summary>A put or delete and about how many bytes it takes.</summary>
internal readonly record struct SizedWrite(WriteRequest Request, int Bytes);

/// <summary>Puts and deletes many items of one table; what a batch leaves unprocessed is sent again.</summary>
internal sealed class BatchWriter(DynamoDbClient client)
{
    /// <summary>DynamoDB's own limit.</summary>
    private const int ItemsMax = 25;

    /// <summary>Below DynamoDB's 16 MB, as sizes are estimates and bytes are sent as base64.</summary>
    private const int BytesMax = 8 << 20;

    private const int BatchesAtOnce = 8;
    private const int AttemptsWithoutProgressMax = 12;

    public Task WriteAsync(string table, IEnumerable<SizedWrite> writes, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(Batches(writes),
            new ParallelOptions { MaxDegreeOfParallelism = BatchesAtOnce, CancellationToken = cancellationToken },
            async (batch, token) => await SendAsync(table, batch, token).ConfigureAwait(false));

    private static IEnumerable<List<WriteRequest>> Batches(IEnumerable<SizedWrite> writes)
    {
        var batch = new List<WriteRequest>(ItemsMax);
        var bytes = 0;
        foreach (var write in writes)
        {
            if (batch.Count == ItemsMax || (batch.Count > 0 && bytes + write.Bytes > BytesMax))
            {
                yield return batch;
                batch = new List<WriteRequest>(ItemsMax);
                bytes = 0;
            }

            batch.Add(write.Request);
            bytes += write.Bytes;
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    /// <exception cref="SyncException"><see cref="ErrorCode.SinkUnavailable"/>: some of it may be written.</exception>
    private async Task SendAsync(string table, List<WriteRequest> batch, CancellationToken cancellationToken)
    {
        for (var attempt = 0; batch.Count > 0; attempt++)
        {
            if (attempt > AttemptsWithoutProgressMax)
            {
                throw client.Unavailable($"table {table} takes no more items at the moment.");
            }

            var request = new BatchWriteItemRequest
            {
                RequestItems = new Dictionary<string, List<WriteRequest>> { [table] = batch },
            };
            var response = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var rest = response.UnprocessedItems?.GetValueOrDefault(table) ?? [];
            if (rest.Count > 0)
            {
                attempt = rest.Count < batch.Count ? 0 : attempt;
                await DynamoDbClient.PauseAsync(attempt, cancellationToken).ConfigureAwait(false);
            }

            batch = rest;
        }
    }
}
