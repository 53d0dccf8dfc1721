using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Resources;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Webhooks;

/// <summary>Keeps the sender's endpoints in step with the endpoint objects, and their secrets.</summary>
/// <remarks>Called under the account's gate.</remarks>
internal sealed class WebhookSecrets(WebhookSender sender)
{
    private readonly Dictionary<string, IReadOnlyList<string>> byEndpoint = new(StringComparer.Ordinal);

    /// <summary>The secrets of an endpoint, or an empty list.</summary>
    public IReadOnlyList<string> Of(string endpointId) => byEndpoint.GetValueOrDefault(endpointId, []);

    public void Set(string endpointId, IReadOnlyList<string> secrets)
    {
        byEndpoint[endpointId] = secrets;
        if (sender.FindEndpoint(endpointId) is { } known)
        {
            sender.SetEndpoint(known with { Secrets = secrets });
        }
    }

    public void Follow(ObjectChange change)
    {
        if (change.Resource != ResourceCatalog.WebhookEndpoints)
        {
            return;
        }

        if (change.Deleted)
        {
            byEndpoint.Remove(change.Id);
            sender.RemoveEndpoint(change.Id);
            return;
        }

        var value = Json.Object(change.Json!);
        sender.SetEndpoint(new WebhookEndpoint(change.Id, new Uri(Json.Text(value, "url")!), Of(change.Id))
        {
            EnabledEvents = [.. value["enabled_events"]!.AsArray().Select(static item => Json.Leaf(item)!)],
            Enabled = Json.Text(value, "status") == "enabled",
        });
    }

    public void Clear()
    {
        foreach (var id in byEndpoint.Keys)
        {
            sender.RemoveEndpoint(id);
        }

        byEndpoint.Clear();
    }
}
