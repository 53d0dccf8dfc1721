using System.Text.Json;
using Duplex.Connectors.Stripe.Requests;
using Duplex.Connectors.Stripe.Streams;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Writing;

/// <summary>
/// Finds out whether a create whose stored answer is a failure made the object after all. Stripe replays that answer
/// for as long as the key lives, so the engine would go on under a fresh key and make the object twice. The event of
/// the create carries the key.
/// </summary>
internal sealed class CreateConfirmation(StripeClient client, StripeStream stream, WriteRequest request)
{
    private const int PagesMax = 100;

    /// <summary>How long Stripe keeps a key at least, and an hour more.</summary>
    private static readonly TimeSpan KeyLife = TimeSpan.FromHours(25);

    public async Task<WriteOutcome> RunAsync(StripeReply failure, CancellationToken cancellationToken)
    {
        var since = failure.ServerSeconds - (long)KeyLife.TotalSeconds;
        var after = "";
        for (var pages = 0; pages < PagesMax; pages++)
        {
            var path = $"/v1/events?limit=100&type={stream.Object}.created"
                + (failure.ServerSeconds > 0 ? $"&created[gte]={since}" : "") + after;
            var ask = StripeRequest.Get("/v1/events", path);
            ListPage page;
            try
            {
                page = ListPage.Of(ask, await client.ReadAsync(ask, 3, cancellationToken));
            }
            catch (SyncException)
            {
                // Not knowing is an unknown outcome: the same key stays right.
                return WriteOutcome.Failure(failure.Error! with { Code = ErrorCode.SinkUnavailable },
                    failure.RequestId);
            }

            if (Find(page.Items, request.IdempotencyKey) is { } id)
            {
                return await CurrentAsync(id, cancellationToken);
            }

            if (!page.HasMore)
            {
                break;
            }

            after = $"&starting_after={page.LastId}";
        }

        return WriteOutcome.Failure(failure.Error!, failure.RequestId);
    }

    private async Task<WriteOutcome> CurrentAsync(string id, CancellationToken cancellationToken)
    {
        var reply = await client.ReadAsync(
            StripeRequest.Get(stream.ObjectPath, stream.PathOf(id), stream.Object), 3, cancellationToken);
        return reply.Error?.Code == ErrorCode.SinkGone
            ? WriteOutcome.Failure(reply.Error, reply.RequestId)
            : StripeSink.Outcome(reply);
    }

    private static string? Find(IReadOnlyList<JsonElement> events, string key)
    {
        foreach (var item in events)
        {
            if (item.TryGetProperty("request", out var origin) && origin.ValueKind == JsonValueKind.Object
                && origin.TryGetProperty("idempotency_key", out var used) && used.ValueKind == JsonValueKind.String
                && used.ValueEquals(key))
            {
                return item.GetProperty("data").GetProperty("object").GetProperty("id").GetString();
            }
        }

        return null;
    }
}
