using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Schema;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Resources;

/// <summary>Invoices: free to edit while a draft, afterwards moved through their states by actions.</summary>
internal sealed class Invoices : Resource
{
    private static readonly string[] EditableAfterwards =
    [
        "auto_advance", "days_until_due", "due_date", "default_payment_method", "default_source", "description",
        "expand", "footer", "metadata", "payment_settings", "statement_descriptor",
    ];

    private static readonly Param[] Writable =
    [
        new OpaqueParam("account_tax_ids"),
        new OpaqueParam("application_fee_amount"),
        new FlagParam("auto_advance"),
        new OpaqueParam("automatic_tax"),
        new WholeParam("automatically_finalizes_at"),
        Fields.Choice("collection_method", "charge_automatically", "send_invoice"),
        new ListParam("custom_fields", new HashParam(
            "custom_fields",
            new TextParam("name", 40) { Required = true },
            new TextParam("value", 140) { Required = true }))
        {
            Clearable = true, NullWhenCleared = true, CountMax = 4,
        },
        new WholeParam("days_until_due") { Kept = false, Least = 0 },
        Fields.Argument("default_payment_method"),
        new TextParam("default_source") { Kept = false, Clearable = true },
        new OpaqueParam("default_tax_rates"),
        Fields.Text("description"),
        new OpaqueParam("discounts"),
        new WholeParam("due_date"),
        new WholeParam("effective_at") { Clearable = true },
        Fields.Text("footer"),
        new OpaqueParam("issuer"),
        Fields.Metadata,
        Fields.Text("number", 26),
        new OpaqueParam("on_behalf_of"),
        new OpaqueParam("payment_settings"),
        new OpaqueParam("rendering"),
        new OpaqueParam("shipping_cost"),
        new OpaqueParam("shipping_details"),
        Fields.Text("statement_descriptor", 22),
        new OpaqueParam("transfer_data"),
        Fields.Expand,
    ];

    public override string Path => "invoices";

    public override string ObjectName => "invoice";

    public override string IdPrefix => "in_1";

    public override int IdLength => 23;

    public override bool Searchable => true;

    public override ParamSet CreateParams { get; } = new(
    [
        .. Writable,
        new TextParam("currency") { Lowercase = true },
        Fields.Fixed("customer"),
        new OpaqueParam("from_invoice"),
        new TextParam("pending_invoice_items_behavior") { Kept = false, Choices = ["exclude", "include"] },
        Fields.Argument("subscription"),
    ]);

    public override ParamSet UpdateParams { get; } = new(Writable);

    public override ParamSet ListParams { get; } = Fields.List(
        Fields.Fixed("customer"),
        Fields.Choice("collection_method", "charge_automatically", "send_invoice"),
        new RangeParam("due_date"),
        Fields.Choice("status", "draft", "open", "paid", "uncollectible", "void"),
        Fields.Fixed("subscription"));

    public override IReadOnlyList<(string Param, string Field)> Filters { get; } =
    [
        ("customer", "customer"), ("status", "status"), ("collection_method", "collection_method"),
        ("due_date", "due_date"), ("subscription", "subscription"),
    ];

    public override IReadOnlyDictionary<string, string?> Expandable { get; } = new Dictionary<string, string?>
    {
        ["customer"] = "customers",
        ["default_payment_method"] = null,
        ["default_source"] = null,
        ["discounts"] = null,
        ["payments"] = null,
        ["confirmation_secret"] = null,
    };

    public override IReadOnlyDictionary<string, ResourceAction> Actions => InvoiceActions.All;

    protected override byte[] Blank { get; } = """
        {"id":"","object":"invoice","account_country":"DE","account_name":"Simulated account","account_tax_ids":null,
        "amount_due":0,"amount_overpaid":0,"amount_paid":0,"amount_paid_off_stripe":0,"amount_remaining":0,
        "amount_shipping":0,"application":null,"attempt_count":0,"attempted":false,"auto_advance":false,
        "automatic_tax":{"disabled_reason":null,"enabled":false,"liability":null,"provider":null,"status":null},
        "automatically_finalizes_at":null,"billing_reason":"manual","collection_method":"charge_automatically",
        "created":0,"currency":null,"custom_fields":null,"customer":null,"customer_account":null,
        "customer_address":null,"customer_email":null,"customer_name":null,"customer_phone":null,
        "customer_shipping":null,"customer_tax_exempt":"none","customer_tax_ids":[],"default_payment_method":null,
        "default_source":null,"default_tax_rates":[],"description":null,"discounts":[],"due_date":null,
        "effective_at":null,"ending_balance":null,"footer":null,"from_invoice":null,"hosted_invoice_url":null,
        "invoice_pdf":null,"issuer":{"type":"self"},"last_finalization_error":null,"latest_revision":null,
        "lines":{"object":"list","data":[],"has_more":false,"total_count":0,"url":""},"livemode":false,"metadata":{},
        "next_payment_attempt":null,"number":null,"on_behalf_of":null,"parent":null,
        "payment_settings":{"default_mandate":null,"payment_method_options":null,"payment_method_types":null},
        "period_end":0,"period_start":0,"post_payment_credit_notes_amount":0,"pre_payment_credit_notes_amount":0,
        "receipt_number":null,"rendering":null,"shipping_cost":null,"shipping_details":null,"starting_balance":0,
        "statement_descriptor":null,"status":"draft",
        "status_transitions":{"finalized_at":null,"marked_uncollectible_at":null,"paid_at":null,"voided_at":null},
        "subtotal":0,"subtotal_excluding_tax":0,"test_clock":null,"total":0,"total_discount_amounts":[],
        "total_excluding_tax":0,"total_pretax_credit_amounts":[],"total_taxes":[],"webhooks_delivered_at":null}
        """u8.ToArray();

    /// <summary>The invoice when it may still be edited.</summary>
    public JsonObject RequireDraft(Transaction transaction, string id, string param)
    {
        var invoice = transaction.Require(this, id, param);
        return Json.Text(invoice, "status") == "draft"
            ? invoice
            : throw StripeException.Refused(
                "invoice_not_editable", "The invoice is not editable: it is no longer a draft.", param);
    }

    /// <summary>Gives a customer who has none this currency; one who has another is refused.</summary>
    public void UseCurrency(Transaction transaction, string customerId, string currency)
    {
        var customer = transaction.Require(ResourceCatalog.Customers, customerId, "customer");
        if (customer["currency"] is null)
        {
            var before = (JsonObject)customer.DeepClone();
            customer["currency"] = currency;
            ResourceCatalog.Customers.Change(transaction, before, customer, []);
        }
    }

    /// <summary>Makes a draft's lines and totals anew from its items.</summary>
    public void Recompute(Transaction transaction, string id)
    {
        var bytes = transaction.Find(this, id)!;
        var before = Json.Object(bytes);
        var after = Json.Object(bytes);
        SetLines(after, transaction.FindAll(ResourceCatalog.InvoiceItems, id));
        Change(transaction, before, after, bytes);
    }

    protected override void Creating(Transaction transaction, JsonObject value, JsonObject given)
    {
        var customerId = Json.Text(given, "customer") ?? throw StripeException.Invalid(
            "parameter_missing", "Missing required param: customer.", "customer");
        var customer = transaction.Require(ResourceCatalog.Customers, customerId, "customer");
        if (Json.Text(given, "subscription") is { } subscription)
        {
            throw StripeException.Missing("subscription", subscription, "subscription");
        }

        value["currency"] ??= Json.Text(customer, "currency") ?? "eur";
        Fields.CheckCurrency(value);
        CopyCustomer(value, customer);
        SetDue(transaction, value, given, required: true);
        var id = Json.Text(value, "id")!;
        value["period_end"] = transaction.Now;
        value["period_start"] = transaction.Now;
        value["lines"]!["url"] = $"/v1/invoices/{id}/lines";
        UseCurrency(transaction, customerId, Json.Text(value, "currency")!);
        if (Json.Text(given, "pending_invoice_items_behavior") == "include")
        {
            ResourceCatalog.InvoiceItems.MovePending(transaction, customerId, Json.Text(value, "currency")!, id);
        }

        SetLines(value, transaction.FindAll(ResourceCatalog.InvoiceItems, id));
    }

    protected override void Updating(Transaction transaction, JsonObject value, JsonObject given)
    {
        if (Json.Text(value, "status") != "draft"
            && given.Select(static field => field.Key).FirstOrDefault(
                static name => !EditableAfterwards.Contains(name)) is { } refused)
        {
            throw StripeException.Refused(
                "invoice_not_editable", "Finalized invoices can't be updated in this way.", refused);
        }

        SetDue(transaction, value, given, required: false);
    }

    protected override void Deleting(Transaction transaction, JsonObject value)
    {
        RequireDraft(transaction, Json.Text(value, "id")!, "id");
        foreach (var item in transaction.FindAll(ResourceCatalog.InvoiceItems, Json.Text(value, "id")!))
        {
            transaction.Delete(ResourceCatalog.InvoiceItems, Json.Text(item, "id")!, []);
        }
    }

    protected override byte[] DeletedPayload(JsonObject value, byte[] stub) => Json.Bytes(value);

    private static void CopyCustomer(JsonObject value, JsonObject customer)
    {
        foreach (var name in (ReadOnlySpan<string>)["address", "email", "name", "phone", "shipping", "tax_exempt"])
        {
            value["customer_" + name] = customer[name]?.DeepClone();
        }
    }

    private static void SetDue(Transaction transaction, JsonObject value, JsonObject given, bool required)
    {
        if (given["days_until_due"] is not null)
        {
            value["due_date"] = transaction.Now + (Json.Whole(given, "days_until_due") * 86_400);
        }
        else if (required && Json.Text(value, "collection_method") == "send_invoice" && value["due_date"] is null)
        {
            throw StripeException.Invalid("parameter_missing", "If invoice collection method is `send_invoice`, one of "
                + "`due_date` or `days_until_due` must be passed.", "days_until_due");
        }
    }

    private static void SetLines(JsonObject value, IReadOnlyList<JsonObject> items)
    {
        var lines = new JsonArray();
        var total = 0L;
        foreach (var item in items)
        {
            total += Json.Whole(item, "amount");
            lines.Add(LineOf(item));
        }

        value["lines"]!["data"] = lines;
        value["lines"]!["total_count"] = lines.Count;
        foreach (var name in (ReadOnlySpan<string>)
            ["subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"])
        {
            value[name] = total;
        }

        value["amount_due"] = Math.Max(0, total);
        value["amount_remaining"] = Math.Max(0, total) - Json.Whole(value, "amount_paid");
    }

    private static JsonObject LineOf(JsonObject item) => new()
    {
        ["id"] = "il_" + Json.Text(item, "id")![3..],
        ["object"] = "line_item",
        ["amount"] = Json.Whole(item, "amount"),
        ["currency"] = Json.Text(item, "currency"),
        ["description"] = Json.Text(item, "description"),
        ["discount_amounts"] = new JsonArray(),
        ["discountable"] = Json.Flag(item, "discountable"),
        ["discounts"] = new JsonArray(),
        ["invoice"] = Json.Text(item, "invoice"),
        ["livemode"] = false,
        ["metadata"] = item["metadata"]!.DeepClone(),
        ["parent"] = new JsonObject
        {
            ["invoice_item_details"] = new JsonObject
            {
                ["invoice_item"] = Json.Text(item, "id"),
                ["proration"] = false,
                ["proration_details"] = new JsonObject { ["credited_items"] = null },
                ["subscription"] = null,
            },
            ["subscription_item_details"] = null,
            ["type"] = "invoice_item_details",
        },
        ["period"] = item["period"]!.DeepClone(),
        ["pretax_credit_amounts"] = new JsonArray(),
        ["pricing"] = item["pricing"]!.DeepClone(),
        ["quantity"] = Json.Whole(item, "quantity"),
        ["quantity_decimal"] = Json.Text(item, "quantity_decimal"),
        ["subscription"] = null,
        ["subtotal"] = Json.Whole(item, "amount"),
        ["taxes"] = new JsonArray(),
    };
}
