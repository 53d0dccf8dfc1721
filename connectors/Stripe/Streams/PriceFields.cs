using Duplex.Sdk;
using static Duplex.Connectors.Stripe.Streams.FieldShapes;

namespace Duplex.Connectors.Stripe.Streams;

/// <summary>The fields of a price. What it costs never changes: another amount is another price.</summary>
internal static class PriceFields
{
    public static readonly StreamSchema Schema = new("prices", ["id"],
    [
        .. Identity("price"),
        Flag("active"),
        Text("nickname"),
        Text("lookup_key", 200),
        Choice("tax_behavior", "inclusive", "exclusive", "unspecified"),
        Metadata,
        CreateOnly("currency", FieldKind.Text) with { Nullable = false, Required = true },
        CreateOnly("product", FieldKind.Text) with { Nullable = false, Required = true },
        CreateOnly("unit_amount", FieldKind.Integer),
        CreateOnly("unit_amount_decimal", FieldKind.Text),
        CreateOnly("billing_scheme", FieldKind.Text) with { Values = ["per_unit", "tiered"] },
        CreateOnly("tiers_mode", FieldKind.Text) with { Values = ["graduated", "volume"] },
        CreateOnly("recurring", FieldKind.Object) with
        {
            Fields =
            [
                Text("interval") with { Values = ["day", "week", "month", "year"] },
                Free("interval_count", FieldKind.Integer), Text("meter"), Text("usage_type"),
                Free("trial_period_days", FieldKind.Integer),
            ],
        },
        CreateOnly("transform_quantity", FieldKind.Object) with
        {
            Fields = [Free("divide_by", FieldKind.Integer), Text("round") with { Values = ["up", "down"] }],
        },
        CreateOnly("custom_unit_amount", FieldKind.Object),
        ReadOnly("type", FieldKind.Text) with { Values = ["one_time", "recurring"] },
    ], Open: true);
}
