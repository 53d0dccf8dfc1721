using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Streams;

/// <summary>One of the object types that the connector carries.</summary>
/// <param name="Name">The stream and the endpoint: <c>customers</c>.</param>
/// <param name="Object">What objects of it call themselves: <c>customer</c>.</param>
/// <param name="EventTypes">The events that tell of it; Stripe takes twenty in one question, for all streams
/// together.</param>
/// <param name="Schema">Its fields.</param>
internal sealed record StripeStream(string Name, string Object, IReadOnlyList<string> EventTypes, StreamSchema Schema)
{
    public static readonly StripeStream Customers = new("customers", "customer",
        ["customer.created", "customer.updated", "customer.deleted"], CustomerFields.Schema);

    public static readonly StripeStream Products = new("products", "product",
        ["product.created", "product.updated", "product.deleted"], ProductFields.Schema);

    public static readonly StripeStream Prices = new("prices", "price",
        ["price.created", "price.updated", "price.deleted"], PriceFields.Schema)
    {
        // Without the filter, Stripe lists active prices only.
        ListFilters = ["active=true", "active=false"],
    };

    public static readonly StripeStream Invoices = new("invoices", "invoice",
        [
            "invoice.created", "invoice.updated", "invoice.deleted", "invoice.finalized", "invoice.paid",
                "invoice.payment_failed",
            "invoice.payment_succeeded", "invoice.sent", "invoice.voided", "invoice.marked_uncollectible",
        ], InvoiceFields.Schema);

    public static readonly IReadOnlyList<StripeStream> All = [Customers, Products, Prices, Invoices];

    /// <summary>The filters that together list every object; the empty one where a plain list does.</summary>
    public IReadOnlyList<string> ListFilters { get; init; } = [""];

    /// <summary>The endpoint of the list and of creates.</summary>
    public string Path => $"/v1/{Name}";

    /// <summary>The endpoint of one object, as rate limits name it.</summary>
    public string ObjectPath => $"/v1/{Name}/{{id}}";

    /// <summary>The path of one object.</summary>
    public string PathOf(string id) => $"/v1/{Name}/{Uri.EscapeDataString(id)}";

    /// <summary>The stream of the name.</summary>
    /// <exception cref="SyncException">There is none.</exception>
    public static StripeStream Of(string name) => All.FirstOrDefault(s => s.Name == name)
        ?? throw new SyncException(ErrorCode.ConfigInvalid, $"Stripe has no stream {name}.",
            $"Use one of {string.Join(", ", All.Select(static s => s.Name))}.");

    /// <summary>The stream whose objects call themselves so; null for types that the connector does not
    /// carry.</summary>
    public static StripeStream? OfObject(string? type) => All.FirstOrDefault(s => s.Object == type);
}
