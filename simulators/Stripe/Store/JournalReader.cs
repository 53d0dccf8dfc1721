using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Resources;

namespace Duplex.Simulators.Stripe.Store;

/// <summary>Brings an account back to the state that a journal describes.</summary>
internal static class JournalReader
{
    /// <summary>Applies every whole line and returns the length of the part that could be read.</summary>
    /// <remarks>
    /// A line that a kill cut off can only be the last one; what follows the last whole line is dropped.
    /// </remarks>
    public static long Restore(Stream file, Account account)
    {
        using var reader = new StreamReader(file, Encoding.UTF8, false, 1 << 16, leaveOpen: true);
        var good = 0L;
        while (reader.ReadLine() is { } line)
        {
            var length = Encoding.UTF8.GetByteCount(line) + 1;
            if (good + length > file.Length)
            {
                break;
            }

            Apply(JsonNode.Parse(line)!.AsObject(), account);
            good += length;
        }

        return good;
    }

    private static void Apply(JsonObject line, Account account)
    {
        if (line["cleared"] is not null)
        {
            account.Clear();
        }
        else if (line["key"] is JsonObject key)
        {
            account.Idempotency.Restore(EntryOf(key));
        }
        else if (line["secrets"] is JsonObject secrets)
        {
            foreach (var (id, texts) in secrets)
            {
                account.Secrets.Set(id, [.. texts!.AsArray().Select(static text => Json.Leaf(text)!)]);
            }
        }
        else
        {
            account.Ids.Issued = Json.Whole(line, "ids");
            foreach (var change in line["objects"]!.AsArray())
            {
                var restored = ChangeOf((JsonObject)change!);
                account.Apply(restored);
                account.Secrets.Follow(restored);
            }

            foreach (var happened in line["events"]!.AsArray())
            {
                account.Events.Restore(EventOf((JsonObject)happened!));
            }
        }
    }

    private static ObjectChange ChangeOf(JsonObject change)
    {
        var resource = ResourceCatalog.ByPath(Json.Text(change, "type")!)
            ?? throw new JsonException($"The journal holds objects of an unknown type: {change["type"]}.");
        var json = change["json"] as JsonObject;
        var deleted = Json.Flag(change, "deleted");
        var bytes = json is null ? null : Json.Bytes(json);
        return deleted || json is null
            ? new ObjectChange(resource, Json.Text(change, "id")!, bytes, true)
            : new ObjectChange(resource, Json.Text(change, "id")!, bytes, false)
            {
                Created = resource.CreatedOf(json),
                Filters = resource.FiltersOf(json),
            };
    }

    private static StoredEvent EventOf(JsonObject happened) => new(
        Json.Text(happened, "id")!,
        Json.Text(happened, "type")!,
        Json.Whole(happened, "created"),
        new EventCause(Json.Text(happened, "request"), Json.Text(happened, "key"), Json.Flag(happened, "null")))
    {
        Subject = Json.Bytes(happened["object"]!),
        Previous = happened["previous"] is { } previous ? Json.Bytes(previous) : null,
    };

    private static IdempotencyEntry EntryOf(JsonObject key) => new(
        Json.Text(key, "key")!,
        Json.Text(key, "path")!,
        UInt128.Parse(Json.Text(key, "fingerprint")!, NumberStyles.HexNumber, CultureInfo.InvariantCulture))
    {
        At = DateTimeOffset.Parse(Json.Text(key, "at")!, CultureInfo.InvariantCulture),
        RequestId = Json.Text(key, "request")!,
        Response = new ApiResponse(
            (int)Json.Whole(key, "status"), Convert.FromBase64String(Json.Text(key, "body")!)),
    };
}
