namespace Duplex.Simulators.Stripe.Webhooks;

/// <summary>Where events are sent: address, secrets, and the types that are wanted.</summary>
internal sealed record WebhookEndpoint(string Id, Uri Url, IReadOnlyList<string> Secrets)
{
    /// <summary>Event types, exact or with a trailing star.</summary>
    public required IReadOnlyList<string> EnabledEvents { get; init; }

    public required bool Enabled { get; init; }

    public bool Wants(string type) => Enabled && EnabledEvents.Any(pattern => pattern == type
        || (pattern.EndsWith('*') && type.StartsWith(pattern[..^1], StringComparison.Ordinal)));
}
