using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Resources;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>Replaces ids by the objects they name, as <c>expand[]</c> asks.</summary>
internal static class Expansion
{
    private const int DepthMax = 4;

    public static byte[] Of(Account account, Resource resource, ReadOnlyMemory<byte> body, JsonArray paths)
    {
        var root = (JsonObject)JsonNode.Parse(body.Span)!;
        foreach (var path in paths)
        {
            var text = Json.Leaf(path) ?? throw StripeException.Invalid(null, "Invalid string", "expand");
            var steps = text.Split('.');
            var isList = steps[0] == "data" && root["data"] is JsonArray;
            if (steps.Length - (isList ? 1 : 0) > DepthMax)
            {
                throw StripeException.Invalid(
                    null, $"You cannot expand more than {DepthMax} levels of a property (property: {text})", "expand");
            }

            if (!isList)
            {
                Expand(account, resource, root, steps, text);
                continue;
            }

            foreach (var element in (JsonArray)root["data"]!)
            {
                Expand(account, resource, (JsonObject)element!, steps.AsSpan(1), text);
            }
        }

        return Json.Bytes(root);
    }

    private static void Expand(
        Account account, Resource resource, JsonObject target, ReadOnlySpan<string> steps, string path)
    {
        if (steps.IsEmpty)
        {
            return;
        }

        if (!resource.Expandable.TryGetValue(steps[0], out var nextPath))
        {
            throw StripeException.Invalid(null, $"This property cannot be expanded ({path}).", "expand");
        }

        if (nextPath is null)
        {
            Include(target, steps[0]);
            return;
        }

        var next = ResourceCatalog.ByPath(nextPath)!;
        var value = target[steps[0]];
        if (value is JsonValue && Json.Leaf(value) is { } id && account.Table(next).Find(id) is { } found)
        {
            value = Json.Object(found.Json);
            target[steps[0]] = value;
        }

        if (value is JsonObject inner)
        {
            Expand(account, next, inner, steps[1..], path);
        }
    }

    /// <summary>Adds a sub-list that is left out by default; the simulator has nothing to put into one.</summary>
    private static void Include(JsonObject target, string name)
    {
        if (name is "sources" or "subscriptions" or "tax_ids" && target[name] is null)
        {
            target[name] = new JsonObject
            {
                ["object"] = "list",
                ["data"] = new JsonArray(),
                ["has_more"] = false,
                ["url"] = $"/v1/customers/{Json.Text(target, "id")}/{name}",
            };
        }
    }
}
