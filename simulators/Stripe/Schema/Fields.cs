using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;

namespace Duplex.Simulators.Stripe.Schema;

/// <summary>Short ways to declare the parameters that resources share.</summary>
internal static class Fields
{
    public static readonly Param Metadata = new MetadataParam();

    public static readonly Param Expand =
        new ListParam("expand", new TextParam("expand")) { Kept = false, CountMax = 20 };

    public static TextParam Text(string name, int lengthMax = 5000) => new(name, lengthMax) { Clearable = true };

    public static TextParam Fixed(string name, bool required = false) => new(name) { Required = required };

    /// <summary>A text that the operation reads and the object does not keep under this name.</summary>
    public static TextParam Argument(string name) => new(name) { Kept = false };

    public static TextParam Choice(string name, params string[] choices) => new(name) { Choices = choices };

    public static HashParam Address(string name = "address", bool required = false) =>
        new(name, Text("city"), Text("country"), Text("line1"), Text("line2"), Text("postal_code"), Text("state"))
        {
            Clearable = !required,
            Required = required,
        };

    /// <exception cref="StripeException">The object's currency is not three letters.</exception>
    public static void CheckCurrency(JsonObject value)
    {
        var currency = Json.Text(value, "currency");
        if (currency is not { Length: 3 } || !currency.All(char.IsAsciiLetterLower))
        {
            throw StripeException.Invalid(null, $"Invalid currency: {currency}.", "currency");
        }
    }

    /// <summary>The parameters of a list operation: paging, <c>created</c>, and the given filters.</summary>
    public static ParamSet List(params Param[] filters) => new(
    [
        new WholeParam("limit") { Least = 1, Most = 100 },
        Fixed("starting_after"),
        Fixed("ending_before"),
        new RangeParam("created"),
        Expand,
        .. filters,
    ]);
}
