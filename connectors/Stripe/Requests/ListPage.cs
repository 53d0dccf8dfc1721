using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Requests;

/// <summary>One page of a list, newest first.</summary>
/// <param name="Items">The objects; each has an <c>id</c> and a <c>created</c>.</param>
/// <param name="HasMore">Whether older ones follow.</param>
internal sealed record ListPage(IReadOnlyList<JsonElement> Items, bool HasMore)
{
    /// <summary>The id of the oldest object of the page, from which the next page starts.</summary>
    public string LastId => Items[^1].GetProperty("id").GetString()!;

    /// <summary>When the oldest object of the page was created.</summary>
    public long LastCreated => Items[^1].GetProperty("created").GetInt64();

    /// <summary>Reads an answer.</summary>
    /// <exception cref="SyncException">The request failed, or the answer is no list.</exception>
    public static ListPage Of(StripeRequest request, StripeReply reply)
    {
        if (!reply.Done)
        {
            throw new SyncException(StripeErrors.AsSource(reply.Error));
        }

        var root = reply.Record.Root;
        if (root.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Array
            && root.TryGetProperty("has_more", out var more)
                && more.ValueKind is JsonValueKind.True or JsonValueKind.False
            && data.EnumerateArray().All(IsObject))
        {
            JsonElement[] items = [.. data.EnumerateArray()];
            return new ListPage(items, more.ValueKind == JsonValueKind.True && items.Length > 0);
        }

        throw new SyncException(ErrorCode.SourceUnreadable,
            $"{request.Operation} was answered with something that is no list.",
            "Check base_url.");
    }

    private static bool IsObject(JsonElement item) => item.ValueKind == JsonValueKind.Object
        && item.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
        && item.TryGetProperty("created", out var created) && created.ValueKind == JsonValueKind.Number
        && created.TryGetInt64(out _);
}
