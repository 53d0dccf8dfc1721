using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Schema;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Resources;

/// <summary>Customers: e-mail addresses need not be unique, and a deleted one answers with a stub.</summary>
internal sealed class Customers : Resource
{
    private static readonly Param[] Writable =
    [
        Fields.Address(),
        new WholeParam("balance"),
        Fields.Text("business_name", 150),
        new OpaqueParam("cash_balance"),
        Fields.Text("description"),
        new TextParam("email", 512) { Email = true, Clearable = true },
        Fields.Text("individual_name", 150),
        new TextParam("invoice_prefix", 12),
        new HashParam(
            "invoice_settings",
            new ListParam("custom_fields", new HashParam("custom_fields", Fields.Fixed("name"), Fields.Fixed("value")))
            {
                Clearable = true, NullWhenCleared = true, CountMax = 4,
            },
            Fields.Text("default_payment_method"),
            Fields.Text("footer"),
            new HashParam("rendering_options", Fields.Text("amount_tax_display"), Fields.Text("template"))
            {
                Clearable = true,
            }),
        Fields.Metadata,
        Fields.Text("name", 256),
        new WholeParam("next_invoice_sequence") { Least = 1 },
        Fields.Text("phone", 20),
        new ListParam("preferred_locales", Fields.Fixed("preferred_locales")) { Clearable = true },
        new HashParam(
            "shipping", Fields.Address(required: true), Fields.Fixed("name", required: true), Fields.Text("phone"))
        {
            Clearable = true,
        },
        Fields.Argument("source"),
        new OpaqueParam("tax"),
        new TextParam("tax_exempt") { Choices = ["exempt", "none", "reverse"], Clearable = true },
        Fields.Expand,
    ];

    public override string Path => "customers";

    public override string ObjectName => "customer";

    public override string IdPrefix => "cus_";

    public override bool KeepsDeleted => true;

    public override bool Searchable => true;

    public override ParamSet CreateParams { get; } = new(
    [
        .. Writable,
        Fields.Argument("payment_method"),
        new OpaqueParam("tax_id_data"),
        Fields.Argument("test_clock"),
    ]);

    public override ParamSet UpdateParams { get; } = new(
        [.. Writable, new TextParam("default_source") { Kept = false, Clearable = true }]);

    public override ParamSet ListParams { get; } = Fields.List(Fields.Fixed("email"), Fields.Fixed("test_clock"));

    public override IReadOnlyList<(string Param, string Field)> Filters { get; } =
        [("email", "email"), ("test_clock", "test_clock")];

    public override IReadOnlyDictionary<string, string?> Expandable { get; } = new Dictionary<string, string?>
    {
        ["default_source"] = null,
        ["test_clock"] = null,
        ["sources"] = null,
        ["subscriptions"] = null,
        ["tax"] = null,
        ["tax_ids"] = null,
        ["cash_balance"] = null,
        ["invoice_credit_balance"] = null,
    };

    protected override byte[] Blank { get; } = """
        {"id":"","object":"customer","address":null,"balance":0,"created":0,"currency":null,"customer_account":null,
        "default_source":null,"delinquent":false,"description":null,"discount":null,"email":null,"invoice_prefix":"",
        "invoice_settings":{"custom_fields":null,"default_payment_method":null,"footer":null,"rendering_options":null},
        "livemode":false,"metadata":{},"name":null,"next_invoice_sequence":1,"phone":null,"preferred_locales":[],
        "shipping":null,"tax_exempt":"none","test_clock":null}
        """u8.ToArray();

    protected override void Creating(Transaction transaction, JsonObject value, JsonObject given)
    {
        RefuseUnknownReferences(given);
        value["tax_exempt"] ??= "none";
        if (Json.Text(value, "invoice_prefix") is null or "")
        {
            value["invoice_prefix"] = Json.Text(value, "id")!.PadLeft(8, '0')[^8..].ToUpperInvariant();
        }
    }

    protected override void Updating(Transaction transaction, JsonObject value, JsonObject given)
    {
        RefuseUnknownReferences(given);
        value["tax_exempt"] ??= "none";
    }

    /// <summary>
    /// Payment methods, sources and test clocks do not exist here, so that a reference to one is an error.
    /// </summary>
    private static void RefuseUnknownReferences(JsonObject given)
    {
        foreach (var (param, label) in (ReadOnlySpan<(string, string)>)
            [("payment_method", "PaymentMethod"), ("source", "token"), ("default_source", "source"),
            ("test_clock", "test clock")])
        {
            if (Json.Text(given, param) is { } id)
            {
                throw StripeException.Missing(label, id, param);
            }
        }
    }
}
