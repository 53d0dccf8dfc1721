using Duplex.Simulators.Stripe.Resources;

namespace Duplex.Simulators.Stripe.Http;

internal enum OperationKind
{
    List,
    Search,
    Retrieve,
    Create,
    Update,
    Delete,
    Action,
    InvoiceLines,
    EventList,
    EventRetrieve,
    AccountRetrieve,
    BalanceRetrieve,
}

/// <summary>A named operation of the API, the unit of rate limits, faults and counts.</summary>
/// <param name="Name">Method and path template, such as <c>POST /v1/customers/{id}</c>.</param>
/// <param name="Area">The part of the API that a restricted key is granted, such as <c>customers</c>.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Resource">The object type, where it has one.</param>
internal sealed record Operation(string Name, string Area, OperationKind Kind, Resource? Resource = null)
{
    /// <summary>The action's name for <see cref="OperationKind.Action"/>.</summary>
    public string? Action { get; init; }

    public bool Writes => Kind is OperationKind.Create or OperationKind.Update or OperationKind.Delete
        or OperationKind.Action;
}
