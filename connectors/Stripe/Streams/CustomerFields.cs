using Duplex.Sdk;
using static Duplex.Connectors.Stripe.Streams.FieldShapes;

namespace Duplex.Connectors.Stripe.Streams;

/// <summary>The fields of a customer.</summary>
internal static class CustomerFields
{
    public static readonly StreamSchema Schema = new("customers", ["id"],
    [
        .. Identity("customer"),
        Text("name", 256),
        Text("email", 512),
        Text("phone", 20),
        Text("description", 350),
        Nested("address", Address),
        Nested("shipping", Text("name"), Text("phone"), Nested("address", Address)),
        Metadata,
        new FieldSchema("balance", FieldKind.Integer, Nullable: false),
        Choice("tax_exempt", "none", "exempt", "reverse"),
        Free("preferred_locales", FieldKind.List),
        Text("invoice_prefix", 12),
        new FieldSchema("next_invoice_sequence", FieldKind.Integer),
        Nested("invoice_settings",
            Text("default_payment_method"), Text("footer"), Free("custom_fields", FieldKind.List),
            Free("rendering_options", FieldKind.Object)),
        Text("default_source"),
        CreateOnly("test_clock", FieldKind.Text),
        ReadOnly("currency", FieldKind.Text),
        ReadOnly("delinquent", FieldKind.Boolean),
        ReadOnly("discount", FieldKind.Object),
    ], Open: true);
}
