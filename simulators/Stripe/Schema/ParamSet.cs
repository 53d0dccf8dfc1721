using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;

namespace Duplex.Simulators.Stripe.Schema;

/// <summary>The parameters of one operation or of one hash.</summary>
internal sealed class ParamSet
{
    private readonly Dictionary<string, Param> byName;

    public ParamSet(params Param[] members) =>
        byName = members.ToDictionary(static member => member.Name, StringComparer.Ordinal);

    /// <summary>Checks and converts every parameter: unknown ones first, then missing ones, then values.</summary>
    /// <exception cref="StripeException">The first of these that is wrong.</exception>
    public JsonObject Read(FormNode form, string prefix = "")
    {
        List<string>? unknown = null;
        foreach (var name in form.Fields!.Keys)
        {
            if (!byName.ContainsKey(name))
            {
                (unknown ??= []).Add(PathOf(prefix, name));
            }
        }

        if (unknown is not null)
        {
            throw StripeException.Unknown(unknown);
        }

        foreach (var member in byName.Values)
        {
            if (member.Required && form.Field(member.Name) is null)
            {
                var path = PathOf(prefix, member.Name);
                throw StripeException.Invalid("parameter_missing", $"Missing required param: {path}.", path);
            }
        }

        var given = new JsonObject();
        foreach (var (name, node) in form.Fields)
        {
            given[name] = byName[name].Read(node, PathOf(prefix, name));
        }

        return given;
    }

    /// <summary>Writes the given values of every kept parameter into <paramref name="target"/>.</summary>
    public void Apply(JsonObject target, JsonObject given)
    {
        foreach (var (name, value) in given)
        {
            var member = byName[name];
            if (member.Kept)
            {
                member.Apply(target, value);
            }
        }
    }

    private static string PathOf(string prefix, string name) => prefix.Length == 0 ? name : $"{prefix}[{name}]";
}
