using Duplex.Sdk;
using static Duplex.Connectors.Stripe.Streams.FieldShapes;

namespace Duplex.Connectors.Stripe.Streams;

/// <summary>The fields of an invoice. Most of them are settled once it is finalised; Stripe then refuses to change
/// them.</summary>
internal static class InvoiceFields
{
    private static readonly string[] Amounts =
    [
        "amount_due", "amount_paid", "amount_remaining", "amount_shipping", "subtotal", "total", "starting_balance",
        "ending_balance", "attempt_count", "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount",
    ];

    private static readonly string[] Texts =
    [
        "status", "billing_reason", "hosted_invoice_url", "invoice_pdf", "receipt_number", "account_country",
            "account_name",
        "customer_email", "customer_name", "customer_phone", "customer_tax_exempt", "latest_revision",
    ];

    private static readonly string[] Times =
        ["period_start", "period_end", "next_payment_attempt", "webhooks_delivered_at"];

    private static readonly string[] Objects =
    [
        "lines", "parent", "status_transitions", "customer_address", "customer_shipping", "last_finalization_error",
            "from_invoice",
    ];

    public static readonly StreamSchema Schema = new("invoices", ["id"],
    [
        .. Identity("invoice"),
        CreateOnly("customer", FieldKind.Text) with { Nullable = false, Required = true },
        CreateOnly("currency", FieldKind.Text),
        Text("description", 1500),
        Text("footer", 5000),
        Text("statement_descriptor", 22),
        Text("number", 26),
        Metadata,
        Flag("auto_advance"),
        Choice("collection_method", "charge_automatically", "send_invoice"),
        Free("due_date", FieldKind.UnixSeconds),
        Free("effective_at", FieldKind.UnixSeconds),
        Text("default_payment_method"),
        Text("default_source"),
        Text("on_behalf_of"),
        Free("custom_fields", FieldKind.List),
        Free("account_tax_ids", FieldKind.List),
        Free("default_tax_rates", FieldKind.List),
        Free("automatic_tax", FieldKind.Object),
        Free("payment_settings", FieldKind.Object),
        Free("rendering", FieldKind.Object),
        Nested("shipping_details", Text("name"), Text("phone"), Nested("address", Address)),
        .. Amounts.Select(static name => ReadOnly(name, FieldKind.Integer)),
        .. Texts.Select(static name => ReadOnly(name, FieldKind.Text)),
        .. Times.Select(static name => ReadOnly(name, FieldKind.UnixSeconds)),
        .. Objects.Select(static name => ReadOnly(name, FieldKind.Object)),
        ReadOnly("attempted", FieldKind.Boolean),
    ], Open: true);
}
