using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Schema;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Resources;

/// <summary>Products: the caller may choose the id, and each change moves <c>updated</c>.</summary>
internal sealed class Products : Resource
{
    private static readonly Param[] Writable =
    [
        new FlagParam("active"),
        Fields.Text("description", 40_000),
        new ListParam("images", Fields.Fixed("images")) { Clearable = true, CountMax = 8 },
        new ListParam("marketing_features", new HashParam("marketing_features", new TextParam("name", 80)))
        {
            Clearable = true, CountMax = 15,
        },
        Fields.Metadata,
        new HashParam(
            "package_dimensions",
            new DecimalParam("height") { Required = true },
            new DecimalParam("length") { Required = true },
            new DecimalParam("weight") { Required = true },
            new DecimalParam("width") { Required = true })
        {
            Clearable = true,
        },
        new FlagParam("shippable"),
        Fields.Text("statement_descriptor", 22),
        Fields.Text("tax_code"),
        new OpaqueParam("tax_details"),
        Fields.Text("unit_label", 12),
        Fields.Text("url"),
        Fields.Expand,
    ];

    public override string Path => "products";

    public override string ObjectName => "product";

    public override string IdPrefix => "prod_";

    public override bool Searchable => true;

    public override ParamSet CreateParams { get; } = new(
    [
        .. Writable,
        new TextParam("name") { Required = true },
        new TextParam("id") { Kept = false },
        Fields.Choice("type", "good", "service"),
        new HashParam(
            "default_price_data",
            new TextParam("currency") { Required = true, Lowercase = true },
            new OpaqueParam("currency_options"),
            new OpaqueParam("custom_unit_amount"),
            Fields.Metadata,
            new HashParam(
                "recurring",
                new TextParam("interval") { Required = true, Choices = ["day", "month", "week", "year"] },
                new WholeParam("interval_count") { Least = 1 }),
            Fields.Fixed("tax_behavior"),
            new WholeParam("unit_amount"),
            new DecimalParam("unit_amount_decimal"))
        {
            Kept = false,
        },
    ]);

    public override ParamSet UpdateParams { get; } =
        new([.. Writable, new TextParam("name"), new TextParam("default_price") { Clearable = true }]);

    public override ParamSet ListParams { get; } = Fields.List(
        new FlagParam("active"),
        new ListParam("ids", Fields.Fixed("ids")),
        new FlagParam("shippable"),
        Fields.Choice("type", "good", "service"),
        Fields.Fixed("url"));

    public override IReadOnlyList<(string Param, string Field)> Filters { get; } =
        [("ids", "id"), ("active", "active"), ("shippable", "shippable"), ("type", "type"), ("url", "url")];

    public override IReadOnlyDictionary<string, string?> Expandable { get; } = new Dictionary<string, string?>
    {
        ["default_price"] = "prices",
        ["tax_code"] = null,
    };

    protected override byte[] Blank { get; } = """
        {"id":"","object":"product","active":true,"created":0,"default_price":null,"description":null,"images":[],
        "livemode":false,"marketing_features":[],"metadata":{},"name":"","package_dimensions":null,"shippable":null,
        "statement_descriptor":null,"tax_code":null,"tax_details":null,"type":"service","unit_label":null,
        "updated":0,"url":null}
        """u8.ToArray();

    protected override string NewId(Transaction transaction, JsonObject given)
    {
        if (Json.Text(given, "id") is not { } id)
        {
            return transaction.NewId(this);
        }

        return transaction.Find(this, id) is null
            ? id
            : throw StripeException.Invalid("resource_already_exists", "Product already exists.", "id");
    }

    protected override void Creating(Transaction transaction, JsonObject value, JsonObject given)
    {
        value["updated"] = Json.Whole(value, "created");
        if (given["default_price_data"] is JsonObject data)
        {
            var id = Json.Text(value, "id")!;
            transaction.ComingId = id;
            value["default_price"] = ResourceCatalog.Prices.CreateFor(transaction, id, (JsonObject)data.DeepClone());
        }
    }

    protected override void Updating(Transaction transaction, JsonObject value, JsonObject given)
    {
        if (Json.Text(given, "default_price") is { } id)
        {
            var price = transaction.Require(ResourceCatalog.Prices, id, "default_price");
            value["default_price"] = Json.Text(price, "product") == Json.Text(value, "id")
                ? id
                : throw StripeException.Invalid(
                    null, $"The price specified is not a price of this product: {id}.", "default_price");
        }
    }

    protected override void Deleting(Transaction transaction, JsonObject value)
    {
        var id = Json.Text(value, "id");
        if (transaction.Account.Table(ResourceCatalog.Prices).Live()
            .Any(price => Json.Text(Json.Object(price.Json), "product") == id))
        {
            throw StripeException.Refused(
                null, "This product cannot be deleted because it has one or more user-created prices.");
        }
    }

    protected override void Touch(Transaction transaction, JsonObject value) => value["updated"] = transaction.Now;

    protected override byte[] DeletedPayload(JsonObject value, byte[] stub)
    {
        value["active"] = false;
        return Json.Bytes(value);
    }
}
