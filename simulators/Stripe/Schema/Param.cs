using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;

namespace Duplex.Simulators.Stripe.Schema;

/// <summary>One parameter that a request may carry: how its text is read, and what an empty text does.</summary>
internal abstract class Param(string name)
{
    public string Name { get; } = name;

    public bool Required { get; init; }

    /// <summary>Whether an empty text unsets the field; otherwise it is an error.</summary>
    public bool Clearable { get; init; }

    /// <summary>Whether the value becomes the object's field of the same name without further work.</summary>
    public bool Kept { get; init; } = true;

    /// <summary>The value in the object's own JSON; null where an empty text unsets it.</summary>
    /// <param name="node">What the form carries.</param>
    /// <param name="path">The bracketed name, for error messages.</param>
    public JsonNode? Read(FormNode node, string path)
    {
        if (node.Text is { Length: 0 })
        {
            return Clearable ? Cleared() : throw Empty(path);
        }

        return Parse(node, path);
    }

    /// <summary>The value that the field has once it is unset.</summary>
    public virtual JsonNode? Cleared() => null;

    /// <summary>Writes <paramref name="value"/> into <paramref name="target"/>; hashes and metadata merge.</summary>
    public virtual void Apply(JsonObject target, JsonNode? value) => target[Name] = value?.DeepClone();

    protected abstract JsonNode? Parse(FormNode node, string path);

    protected static string TextOf(FormNode node, string path, string expected) =>
        node.Text ?? throw StripeException.Invalid(null, $"Invalid {expected}", path);

    private static StripeException Empty(string path) =>
        StripeException.Invalid(
            "parameter_invalid_empty",
            $"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; "
            + $"however '{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty "
            + "value.",
            path);
}
