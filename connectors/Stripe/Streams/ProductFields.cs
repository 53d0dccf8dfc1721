using Duplex.Sdk;
using static Duplex.Connectors.Stripe.Streams.FieldShapes;

namespace Duplex.Connectors.Stripe.Streams;

/// <summary>The fields of a product. Its id may be the caller's own.</summary>
internal static class ProductFields
{
    public static readonly StreamSchema Schema = new("products", ["id"],
    [
        .. Identity("product").Where(static f => f.Name != "id"),
        CreateOnly("id", FieldKind.Text) with { Nullable = false },
        Text("name") with { Nullable = false, Required = true },
        Flag("active"),
        Text("description"),
        Text("default_price"),
        Metadata,
        Free("images", FieldKind.List),
        Free("marketing_features", FieldKind.List),
        Nested("package_dimensions",
            Free("height", FieldKind.Number), Free("length", FieldKind.Number), Free("weight", FieldKind.Number),
            Free("width", FieldKind.Number)),
        Free("shippable", FieldKind.Boolean),
        Text("statement_descriptor", 22),
        Text("tax_code"),
        Text("unit_label", 12),
        Text("url"),
        CreateOnly("type", FieldKind.Text) with { Values = ["good", "service"] },
        ReadOnly("updated", FieldKind.UnixSeconds),
    ], Open: true);
}
