using System.Text.Json;
using Duplex.Connectors.Stripe.Listing;
using Duplex.Connectors.Stripe.Streams;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Events;

/// <summary>Turns Stripe's events into changes. Safe to use from many tasks at once.</summary>
internal sealed class EventReader(ConnectorContext context, IReadOnlyList<string> streams)
{
    private readonly bool _honourFwdPush = context.Settings.Get(StripeSettings.HonourFwdPush);

    /// <summary>Whether the JSON is an event at all.</summary>
    public static bool IsEvent(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object
        && Text(item, "id") is { Length: > 0 }
        && Text(item, "type") is { Length: > 0 };

    /// <summary>The change that an event tells; null when it is about nothing that a sync reads.</summary>
    public Change? Read(JsonElement item)
    {
        if (!item.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object
            || !data.TryGetProperty("object", out var image) || image.ValueKind != JsonValueKind.Object
            || StripeStream.OfObject(Text(image, "object")) is not { } stream || !streams.Contains(stream.Name)
            || Text(image, "id") is not { Length: > 0 } || (_honourFwdPush && IsPushedForward(image)))
        {
            return null;
        }

        var created = item.TryGetProperty("created", out var seconds) && seconds.TryGetInt64(out var s) ? s : 0;
        var operation = OperationOf(Text(item, "type")!, image);
        var deleted = operation == ChangeOperation.Delete;
        var previous = data.TryGetProperty("previous_attributes", out var p) && p.ValueKind == JsonValueKind.Object
            ? StripeReader.Copy(p)
            : null;
        return new Change
        {
            Operation = operation,
            Stream = stream.Name,
            Key = StripeReader.KeyOf(image),
            Before = deleted ? StripeReader.Copy(image) : previous,
            After = deleted ? null : StripeReader.Copy(image),
            SourceMicros = created * 1_000_000,
            Position = $"{created}",
            Origin = OriginOf(item),
            Id = Text(item, "id"),
        };
    }

    /// <summary>Adds a change to a batch, in the log's form.</summary>
    public void Add(ChangeBatch batch, Change change) =>
        ChangeEnvelope.Add(batch, change, StripeConnector.Name, context.Connection);

    private static ChangeOperation OperationOf(string type, JsonElement image)
    {
        if (type.EndsWith(".deleted", StringComparison.Ordinal) || DeletedMark.IsOn(image))
        {
            return ChangeOperation.Delete;
        }

        return type.EndsWith(".created", StringComparison.Ordinal) ? ChangeOperation.Create : ChangeOperation.Update;
    }

    /// <summary>
    /// Scripts that sync both ways mark what they pushed to Stripe, and take a change back only when the mark is absent
    /// or false.
    /// </summary>
    private static bool IsPushedForward(JsonElement image) =>
        image.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
        && string.Equals(Text(metadata, "fwd-push"), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>Events of old versions have a bare request id, or nothing, where later ones have an object.</summary>
    private static string? OriginOf(JsonElement item) =>
        item.TryGetProperty("request", out var request) && request.ValueKind == JsonValueKind.Object
            ? Text(request, "idempotency_key")
            : null;

    private static string? Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
