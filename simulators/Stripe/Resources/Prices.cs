using System.Globalization;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Schema;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Resources;

/// <summary>
/// Prices: the amount never changes, nothing deletes one, and a lookup key belongs to one price at a time.
/// </summary>
internal sealed class Prices : Resource
{
    private static readonly string[] TaxBehaviors = ["exclusive", "inclusive", "unspecified"];

    private static readonly Param[] Shared =
    [
        new FlagParam("active"),
        new OpaqueParam("currency_options"),
        new TextParam("lookup_key", 200) { Clearable = true },
        Fields.Metadata,
        Fields.Text("nickname"),
        Fields.Choice("tax_behavior", TaxBehaviors),
        new FlagParam("transfer_lookup_key") { Kept = false },
        Fields.Expand,
    ];

    public override string Path => "prices";

    public override string ObjectName => "price";

    public override string IdPrefix => "price_1";

    public override int IdLength => 23;

    public override bool Deletable => false;

    public override bool Searchable => true;

    public override ParamSet CreateParams { get; } = new(
    [
        .. Shared,
        new TextParam("currency") { Required = true, Lowercase = true },
        Fields.Choice("billing_scheme", "per_unit", "tiered"),
        new HashParam(
            "custom_unit_amount",
            new FlagParam("enabled") { Required = true, Kept = false },
            new WholeParam("maximum"),
            new WholeParam("minimum"),
            new WholeParam("preset")),
        Fields.Fixed("product"),
        new HashParam(
            "product_data",
            new TextParam("name") { Required = true },
            new FlagParam("active"),
            Fields.Fixed("id"),
            Fields.Metadata,
            Fields.Text("statement_descriptor", 22),
            Fields.Text("tax_code"),
            new OpaqueParam("tax_details"),
            Fields.Text("unit_label", 12))
        {
            Kept = false,
        },
        new HashParam(
            "recurring",
            new TextParam("interval") { Required = true, Choices = ["day", "month", "week", "year"] },
            new WholeParam("interval_count") { Least = 1 },
            Fields.Fixed("meter"),
            new WholeParam("trial_period_days"),
            Fields.Choice("usage_type", "licensed", "metered")),
        new ListParam("tiers", new OpaqueParam("tiers")) { Kept = false },
        Fields.Choice("tiers_mode", "graduated", "volume"),
        new HashParam(
            "transform_quantity",
            new WholeParam("divide_by") { Required = true, Least = 1 },
            new TextParam("round") { Required = true, Choices = ["down", "up"] }),
        new WholeParam("unit_amount"),
        new DecimalParam("unit_amount_decimal"),
    ]);

    public override ParamSet UpdateParams { get; } = new(Shared);

    public override ParamSet ListParams { get; } = Fields.List(
        new FlagParam("active"),
        new TextParam("currency") { Lowercase = true },
        new ListParam("lookup_keys", Fields.Fixed("lookup_keys")) { CountMax = 10 },
        Fields.Fixed("product"),
        new HashParam(
            "recurring",
            Fields.Choice("interval", "day", "month", "week", "year"),
            Fields.Fixed("meter"),
            Fields.Choice("usage_type", "licensed", "metered")),
        Fields.Choice("type", "one_time", "recurring"));

    public override IReadOnlyList<(string Param, string Field)> Filters { get; } =
    [
        ("lookup_keys", "lookup_key"), ("active", "active"), ("currency", "currency"), ("product", "product"),
        ("type", "type"), ("recurring.interval", "recurring.interval"), ("recurring.meter", "recurring.meter"),
        ("recurring.usage_type", "recurring.usage_type"),
    ];

    public override IReadOnlyDictionary<string, string?> Expandable { get; } = new Dictionary<string, string?>
    {
        ["product"] = "products",
        ["currency_options"] = null,
        ["tiers"] = null,
    };

    protected override byte[] Blank { get; } = """
        {"id":"","object":"price","active":true,"billing_scheme":"per_unit","created":0,"currency":"",
        "custom_unit_amount":null,"livemode":false,"lookup_key":null,"metadata":{},"nickname":null,"product":null,
        "recurring":null,"tax_behavior":"unspecified","tiers_mode":null,"transform_quantity":null,"type":"one_time",
        "unit_amount":null,"unit_amount_decimal":null}
        """u8.ToArray();

    /// <summary>Creates the default price of a product that the same request creates.</summary>
    public string CreateFor(Transaction transaction, string productId, JsonObject given)
    {
        given["product"] = productId;
        return Json.Text(Json.Object(Create(transaction, given)), "id")!;
    }

    protected override void Creating(Transaction transaction, JsonObject value, JsonObject given)
    {
        Fields.CheckCurrency(value);
        SetProduct(transaction, value, given);
        SetAmount(value, given);
        if (value["recurring"] is JsonObject recurring)
        {
            value["type"] = "recurring";
            recurring["interval_count"] ??= 1;
            recurring["usage_type"] ??= "licensed";
        }

        ClaimLookupKey(transaction, value, given);
    }

    protected override void Updating(Transaction transaction, JsonObject value, JsonObject given) =>
        ClaimLookupKey(transaction, value, given);

    private static void SetProduct(Transaction transaction, JsonObject value, JsonObject given)
    {
        if (given["product_data"] is JsonObject data)
        {
            if (given["product"] is not null)
            {
                throw StripeException.Invalid(
                    null, "You may only specify one of these parameters: product, product_data.");
            }

            var product = Json.Object(ResourceCatalog.Products.Create(transaction, (JsonObject)data.DeepClone()));
            value["product"] = Json.Text(product, "id");
            return;
        }

        var id = Json.Text(given, "product") ?? throw StripeException.Invalid(
            "parameter_missing",
            "You must specify either `product` or `product_data` when creating a price.",
            "product");
        if (transaction.Find(ResourceCatalog.Products, id) is null && !transaction.IsComing(id))
        {
            throw StripeException.Missing("product", id, "product");
        }
    }

    private static void SetAmount(JsonObject value, JsonObject given)
    {
        if (given["unit_amount"] is not null && given["unit_amount_decimal"] is not null)
        {
            throw StripeException.Invalid(
                null, "You may only specify one of these parameters: unit_amount, unit_amount_decimal.", "unit_amount");
        }

        if (given["unit_amount"] is not null)
        {
            value["unit_amount_decimal"] = Json.Whole(value, "unit_amount").ToString(CultureInfo.InvariantCulture);
        }
        else if (Json.Text(value, "unit_amount_decimal") is { } text)
        {
            var exact = decimal.Parse(text, CultureInfo.InvariantCulture);
            value["unit_amount"] = exact == decimal.Truncate(exact) ? JsonValue.Create((long)exact) : null;
        }
        else if (given["custom_unit_amount"] is null && Json.Text(value, "billing_scheme") == "per_unit")
        {
            throw StripeException.Invalid("parameter_missing", "Prices require an `unit_amount` or "
                + "`unit_amount_decimal` parameter to be set.", "unit_amount");
        }
    }

    private void ClaimLookupKey(Transaction transaction, JsonObject value, JsonObject given)
    {
        if (Json.Text(given, "lookup_key") is not { } key)
        {
            return;
        }

        foreach (var holder in transaction.FindAll(this, key))
        {
            if (Json.Text(holder, "id") == Json.Text(value, "id"))
            {
                continue;
            }

            if (!Json.Flag(given, "transfer_lookup_key"))
            {
                throw StripeException.Invalid(null, $"A price (`{Json.Text(holder, "id")}`) already uses that lookup "
                    + "key. Pass `transfer_lookup_key=true` to transfer the lookup key to this price.", "lookup_key");
            }

            var before = (JsonObject)holder.DeepClone();
            holder["lookup_key"] = null;
            Change(transaction, before, holder, []);
        }
    }
}
