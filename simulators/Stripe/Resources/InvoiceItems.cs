using System.Globalization;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Schema;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Resources;

/// <summary>Invoice items: what an invoice's lines are made of; those of a draft follow every change.</summary>
internal sealed class InvoiceItems : Resource
{
    private static readonly Param[] Writable =
    [
        new WholeParam("amount"),
        Fields.Text("description"),
        new FlagParam("discountable"),
        new OpaqueParam("discounts"),
        Fields.Metadata,
        new HashParam(
            "period", new WholeParam("end") { Required = true }, new WholeParam("start") { Required = true }),
        new HashParam(
            "price_data",
            new TextParam("currency") { Required = true, Lowercase = true },
            Fields.Fixed("product", required: true),
            Fields.Fixed("tax_behavior"),
            new WholeParam("unit_amount"),
            new DecimalParam("unit_amount_decimal"))
        {
            Kept = false,
        },
        new HashParam("pricing", Fields.Fixed("price")) { Kept = false },
        new WholeParam("quantity") { Least = 0 },
        new DecimalParam("quantity_decimal"),
        Fields.Argument("tax_behavior"),
        new OpaqueParam("tax_code"),
        new OpaqueParam("tax_rates"),
        new DecimalParam("unit_amount_decimal") { Kept = false },
        Fields.Expand,
    ];

    public override string Path => "invoiceitems";

    public override string ObjectName => "invoiceitem";

    public override string IdPrefix => "ii_1";

    public override int IdLength => 23;

    public override string Label => "invoiceitem";

    public override ParamSet CreateParams { get; } = new(
    [
        .. Writable,
        new TextParam("currency") { Lowercase = true },
        Fields.Fixed("customer"),
        Fields.Fixed("invoice"),
        Fields.Argument("subscription"),
    ]);

    public override ParamSet UpdateParams { get; } = new(Writable);

    public override ParamSet ListParams { get; } =
        Fields.List(Fields.Fixed("customer"), Fields.Fixed("invoice"), new FlagParam("pending"));

    public override IReadOnlyList<(string Param, string Field)> Filters { get; } =
        [("invoice", "invoice"), ("customer", "customer"), ("pending", "pending")];

    public override IReadOnlyDictionary<string, string?> Expandable { get; } = new Dictionary<string, string?>
    {
        ["customer"] = "customers",
        ["invoice"] = "invoices",
        ["discounts"] = null,
    };

    protected override byte[] Blank { get; } = """
        {"id":"","object":"invoiceitem","amount":0,"currency":null,"customer":null,"customer_account":null,"date":0,
        "description":null,"discountable":true,"discounts":[],"invoice":null,"livemode":false,"metadata":{},
        "net_amount":0,"parent":null,"period":null,
        "pricing":{"price_details":null,"type":"price_details","unit_amount_decimal":null},"proration":false,
        "quantity":1,"quantity_decimal":"1","tax_rates":[],"test_clock":null}
        """u8.ToArray();

    public override long CreatedOf(JsonObject value) => Json.Whole(value, "date");

    /// <summary>Moves every pending item of a customer in this currency to an invoice.</summary>
    public void MovePending(Transaction transaction, string customerId, string currency, string invoiceId)
    {
        foreach (var stored in transaction.Account.Table(this).Live().ToList())
        {
            var item = Json.Object(stored.Json);
            if (item["invoice"] is null && Json.Text(item, "customer") == customerId
                && Json.Text(item, "currency") == currency)
            {
                var before = (JsonObject)item.DeepClone();
                item["invoice"] = invoiceId;
                Change(transaction, before, item, stored.Json);
            }
        }
    }

    protected override string? FilterValue(JsonObject value, string field) => field == "pending"
        ? (value["invoice"] is null ? "true" : "false")
        : base.FilterValue(value, field);

    protected override void SetCreated(JsonObject value, long now) => value["date"] = now;

    protected override void Creating(Transaction transaction, JsonObject value, JsonObject given)
    {
        var invoice = Json.Text(given, "invoice") is { } invoiceId
            ? ResourceCatalog.Invoices.RequireDraft(transaction, invoiceId, "invoice")
            : null;
        value["customer"] ??= Json.Text(invoice ?? [], "customer");
        var customerId = Json.Text(value, "customer") ?? throw StripeException.Invalid(
            "parameter_missing", "Missing required param: customer.", "customer");
        var customer = transaction.Require(ResourceCatalog.Customers, customerId, "customer");
        Price(transaction, value, given);
        value["currency"] ??= Json.Text(invoice ?? [], "currency") ?? Json.Text(customer, "currency") ?? "eur";
        Fields.CheckCurrency(value);
        var now = Json.Whole(value, "date");
        value["period"] ??= new JsonObject { ["end"] = now, ["start"] = now };
        ResourceCatalog.Invoices.UseCurrency(transaction, customerId, Json.Text(value, "currency")!);
    }

    protected override void Updating(Transaction transaction, JsonObject value, JsonObject given)
    {
        if (Json.Text(value, "invoice") is { } invoiceId)
        {
            ResourceCatalog.Invoices.RequireDraft(transaction, invoiceId, "invoice");
        }

        Price(transaction, value, given);
    }

    protected override void Deleting(Transaction transaction, JsonObject value) =>
        Updating(transaction, value, []);

    protected override void Stored(Transaction transaction, JsonObject value)
    {
        if (Json.Text(value, "invoice") is { } invoiceId
            && transaction.Find(ResourceCatalog.Invoices, invoiceId) is not null)
        {
            ResourceCatalog.Invoices.Recompute(transaction, invoiceId);
        }
    }

    /// <summary>Works out the amount from a price, a unit amount, or the amount that is given.</summary>
    private static void Price(Transaction transaction, JsonObject value, JsonObject given)
    {
        if (given["quantity_decimal"] is null)
        {
            value["quantity_decimal"] = Json.Whole(value, "quantity").ToString(CultureInfo.InvariantCulture);
        }

        var unit = Json.Text(given, "unit_amount_decimal");
        if (Json.Text(given["pricing"] as JsonObject ?? [], "price") is { } priceId)
        {
            var price = transaction.Require(ResourceCatalog.Prices, priceId, "pricing[price]");
            unit = Json.Text(price, "unit_amount_decimal");
            value["currency"] = Json.Text(price, "currency");
            SetDetails(value, priceId, Json.Text(price, "product"));
        }
        else if (given["price_data"] is JsonObject data)
        {
            unit = Json.Text(data, "unit_amount_decimal") ?? Json.Leaf(data["unit_amount"]);
            value["currency"] = Json.Text(data, "currency");
            transaction.Require(ResourceCatalog.Products, Json.Text(data, "product")!, "price_data[product]");
            SetDetails(value, null, Json.Text(data, "product"));
        }

        if (unit is not null || given["quantity"] is not null)
        {
            unit ??= Json.Text((JsonObject)value["pricing"]!, "unit_amount_decimal") ?? "0";
            var quantity = decimal.Parse(Json.Text(value, "quantity_decimal")!, CultureInfo.InvariantCulture);
            var exact = decimal.Parse(unit, CultureInfo.InvariantCulture) * quantity;
            value["amount"] = (long)decimal.Round(exact, MidpointRounding.AwayFromZero);
        }
        else if (given["amount"] is not null)
        {
            unit = Json.Whole(value, "amount").ToString(CultureInfo.InvariantCulture);
        }

        if (unit is not null)
        {
            value["pricing"]!["unit_amount_decimal"] = unit;
        }

        value["net_amount"] = Json.Whole(value, "amount");
    }

    private static void SetDetails(JsonObject value, string? price, string? product) =>
        value["pricing"]!["price_details"] = new JsonObject { ["price"] = price, ["product"] = product };
}
