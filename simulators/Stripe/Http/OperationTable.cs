using Duplex.Simulators.Stripe.Resources;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>Finds the operation that a method and a path name.</summary>
internal static class OperationTable
{
    private static readonly Dictionary<(string Method, string Area, string Tail), Operation> Known = Build();

    /// <summary>All operations.</summary>
    public static IEnumerable<Operation> All => Known.Values;

    /// <summary>The operation, with the id in the path or an empty text; null when there is none.</summary>
    public static Operation? Find(string method, string path, out string id)
    {
        id = string.Empty;
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is < 2 or > 4 || parts[0] != "v1")
        {
            return null;
        }

        if (parts.Length == 2)
        {
            return Known.GetValueOrDefault((method, parts[1], string.Empty));
        }

        if (parts.Length == 3 && Known.TryGetValue((method, parts[1], parts[2]), out var named))
        {
            return named;
        }

        id = parts[2];
        return Known.GetValueOrDefault((method, parts[1], parts.Length == 3 ? "{id}" : "{id}/" + parts[3]));
    }

    private static Dictionary<(string Method, string Area, string Tail), Operation> Build()
    {
        var known = new Dictionary<(string, string, string), Operation>();
        foreach (var resource in ResourceCatalog.All)
        {
            Add(known, "GET", resource.Path, string.Empty, OperationKind.List, resource);
            Add(known, "GET", resource.Path, "{id}", OperationKind.Retrieve, resource);
            Add(known, "POST", resource.Path, string.Empty, OperationKind.Create, resource);
            Add(known, "POST", resource.Path, "{id}", OperationKind.Update, resource);
            if (resource.Deletable)
            {
                Add(known, "DELETE", resource.Path, "{id}", OperationKind.Delete, resource);
            }

            if (resource.Searchable)
            {
                Add(known, "GET", resource.Path, "search", OperationKind.Search, resource);
            }

            foreach (var action in resource.Actions.Keys)
            {
                Add(known, "POST", resource.Path, "{id}/" + action, OperationKind.Action, resource, action);
            }
        }

        Add(known, "GET", "events", string.Empty, OperationKind.EventList);
        Add(known, "GET", "events", "{id}", OperationKind.EventRetrieve);
        Add(known, "GET", "account", string.Empty, OperationKind.AccountRetrieve);
        Add(known, "GET", "balance", string.Empty, OperationKind.BalanceRetrieve);
        Add(known, "GET", "invoices", "{id}/lines", OperationKind.InvoiceLines, ResourceCatalog.ByPath("invoices"));
        return known;
    }

    private static void Add(
        Dictionary<(string, string, string), Operation> known,
        string method,
        string area,
        string rest,
        OperationKind kind,
        Resource? resource = null,
        string? action = null)
    {
        var name = rest.Length == 0 ? $"{method} /v1/{area}" : $"{method} /v1/{area}/{rest}";
        known.Add((method, area, rest), new Operation(name, area, kind, resource) { Action = action });
    }
}
