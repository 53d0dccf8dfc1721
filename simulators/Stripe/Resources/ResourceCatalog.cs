namespace Duplex.Simulators.Stripe.Resources;

/// <summary>Every object type that the simulator keeps.</summary>
internal static class ResourceCatalog
{
    public static readonly Customers Customers = new();
    public static readonly Products Products = new();
    public static readonly Prices Prices = new();
    public static readonly Invoices Invoices = new();
    public static readonly InvoiceItems InvoiceItems = new();
    public static readonly WebhookEndpoints WebhookEndpoints = new();

    public static readonly IReadOnlyList<Resource> All =
        [Customers, Products, Prices, Invoices, InvoiceItems, WebhookEndpoints];

    public static Resource? ByPath(string path) => All.FirstOrDefault(resource => resource.Path == path);
}
