using System.Text.Json;

namespace Duplex.Connectors.Stripe.Streams;

/// <summary>
/// Tells objects that are gone from objects that live. Prices and sold products cannot be deleted, only archived, and
/// finalised invoices only voided; a delete that had to archive or void leaves a mark in the metadata, so that the
/// object reads as deleted while an object that a person archived stays a record.
/// </summary>
internal static class DeletedMark
{
    public const string Name = "duplex_deleted";
    public const string Value = "true";

    /// <summary>Whether the object is a deleted stub, or was deleted as far as Stripe lets it be.</summary>
    public static bool IsOn(JsonElement item)
    {
        if (item.TryGetProperty("deleted", out var deleted) && deleted.ValueKind == JsonValueKind.True)
        {
            return true;
        }

        return item.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
            && metadata.TryGetProperty(Name, out var mark) && mark.ValueEquals(Value)
            && IsLaidAside(item);
    }

    /// <summary>An object that a person takes up again lives, whatever the mark says.</summary>
    private static bool IsLaidAside(JsonElement item) =>
        (item.TryGetProperty("active", out var active) && active.ValueKind == JsonValueKind.False)
        || (item.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String
            && status.ValueEquals("void"));
}
