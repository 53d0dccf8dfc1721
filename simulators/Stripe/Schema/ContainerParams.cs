using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;

namespace Duplex.Simulators.Stripe.Schema;

/// <summary>A hash of named parameters; given fields replace, others stay.</summary>
internal sealed class HashParam(string name, params Param[] children) : Param(name)
{
    private readonly ParamSet set = new(children);

    protected override JsonNode? Parse(FormNode node, string path) =>
        node.Fields is null ? throw StripeException.Invalid(null, "Invalid object", path) : set.Read(node, path);

    public override void Apply(JsonObject target, JsonNode? value)
    {
        if (value is not JsonObject given)
        {
            target[Name] = null;
            return;
        }

        if (target[Name] is not JsonObject kept)
        {
            kept = [];
            foreach (var child in children)
            {
                kept[child.Name] = null;
            }

            target[Name] = kept;
        }

        set.Apply(kept, given);
    }
}

/// <summary>A list of values of one kind.</summary>
internal sealed class ListParam(string name, Param element) : Param(name)
{
    public int CountMax { get; init; } = 1000;

    public bool NullWhenCleared { get; init; }

    public override JsonNode? Cleared() => NullWhenCleared ? null : new JsonArray();

    protected override JsonNode? Parse(FormNode node, string path)
    {
        var items = node.AsList() ?? throw StripeException.Invalid(null, "Invalid array", path);
        if (items.Count > CountMax)
        {
            throw StripeException.Invalid(null, $"Invalid array: at most {CountMax} elements are allowed", path);
        }

        var list = new JsonArray();
        for (var i = 0; i < items.Count; i++)
        {
            list.Add(element.Read(items[i], $"{path}[{i}]"));
        }

        return list;
    }
}

/// <summary>Metadata: merged key by key, an empty value removes its key, an empty text removes all.</summary>
internal sealed class MetadataParam : Param
{
    private const int KeysMax = 50;
    private const int KeyLengthMax = 40;
    private const int ValueLengthMax = 500;

    public MetadataParam()
        : base("metadata") => Clearable = true;

    protected override JsonNode? Parse(FormNode node, string path)
    {
        if (node.Fields is null)
        {
            throw StripeException.Invalid(null, "Invalid object", path);
        }

        var given = new JsonObject();
        foreach (var (key, value) in node.Fields)
        {
            given[key] = ReadValue(key, value, path);
        }

        return given;
    }

    public override void Apply(JsonObject target, JsonNode? value)
    {
        if (value is not JsonObject given)
        {
            target[Name] = new JsonObject();
            return;
        }

        if (target[Name] is not JsonObject kept)
        {
            kept = [];
            target[Name] = kept;
        }

        foreach (var (key, text) in given)
        {
            if (text is null)
            {
                kept.Remove(key);
            }
            else
            {
                kept[key] = text.DeepClone();
            }
        }

        if (kept.Count > KeysMax)
        {
            throw StripeException.Invalid(
                null, $"You can only set up to {KeysMax} metadata keys on one object.", Name);
        }
    }

    private static JsonValue? ReadValue(string key, FormNode value, string path)
    {
        if (key.Length is 0 or > KeyLengthMax)
        {
            throw StripeException.Invalid(
                null, $"Metadata keys must be between 1 and {KeyLengthMax} characters long: {key}", path);
        }

        if (value.Text is not { } text)
        {
            throw StripeException.Invalid(
                null, "Metadata values must be strings: nested values are not supported.", $"{path}[{key}]");
        }

        if (text.Length > ValueLengthMax)
        {
            throw StripeException.Invalid(
                null,
                $"Metadata values can have up to {ValueLengthMax} characters, but you passed in a value that is "
                + $"{text.Length} characters.",
                $"{path}[{key}]");
        }

        return text.Length == 0 ? null : JsonValue.Create(text);
    }
}

/// <summary>A parameter that is taken and not modelled: any shape passes, nothing is kept.</summary>
internal sealed class OpaqueParam : Param
{
    public OpaqueParam(string name)
        : base(name)
    {
        Clearable = true;
        Kept = false;
    }

    protected override JsonNode? Parse(FormNode node, string path) => null;
}

/// <summary>A point in time or a range of it: <c>created=5</c> or <c>created[gte]=5</c>.</summary>
internal sealed class RangeParam(string name) : Param(name)
{
    private static readonly string[] Bounds = ["gt", "gte", "lt", "lte"];

    protected override JsonNode? Parse(FormNode node, string path)
    {
        if (node.Fields is null)
        {
            var at = new WholeParam(Name).Read(node, path)!;
            return new JsonObject { ["gte"] = at, ["lte"] = at.DeepClone() };
        }

        var range = new JsonObject();
        foreach (var (bound, value) in node.Fields)
        {
            if (!Bounds.Contains(bound))
            {
                throw StripeException.Unknown([$"{path}[{bound}]"]);
            }

            range[bound] = new WholeParam(bound).Read(value, $"{path}[{bound}]");
        }

        return range;
    }
}
