using System.Text.Json.Nodes;

namespace Duplex.Simulators.Stripe.Events;

/// <summary>Computes <c>previous_attributes</c>: the former values of exactly the fields that changed.</summary>
internal static class AttributeDiff
{
    /// <summary>
    /// The former values, or null when nothing changed. Hashes are compared field by field, lists whole.
    /// </summary>
    public static JsonObject? Previous(JsonObject before, JsonObject after)
    {
        JsonObject? previous = null;
        foreach (var (name, former) in before)
        {
            after.TryGetPropertyValue(name, out var latter);
            if (former is JsonObject formerHash && latter is JsonObject latterHash)
            {
                if (Previous(formerHash, latterHash) is { } inner)
                {
                    (previous ??= [])[name] = inner;
                }
            }
            else if (!JsonNode.DeepEquals(former, latter))
            {
                (previous ??= [])[name] = former?.DeepClone();
            }
        }

        foreach (var (name, _) in after)
        {
            if (!before.ContainsKey(name))
            {
                (previous ??= [])[name] = null;
            }
        }

        return previous;
    }
}
