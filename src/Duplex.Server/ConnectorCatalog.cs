using Duplex.Connectors.Postgres;
using Duplex.Connectors.Stripe;
using Duplex.Sdk;

namespace Duplex.Server;

/// <summary>The connectors that this server knows. A connector is added by one line here.</summary>
public sealed class ConnectorCatalog
{
    /// <summary>A catalogue of the given connectors.</summary>
    public ConnectorCatalog(params IReadOnlyList<IConnector> connectors)
    {
        ArgumentNullException.ThrowIfNull(connectors);
        All = connectors;
    }

    /// <summary>Every connector that comes with Duplex.</summary>
    public static ConnectorCatalog Standard { get; } = new(new PostgresConnector(), new StripeConnector());

    /// <summary>Every connector, in the order of the list.</summary>
    public IReadOnlyList<IConnector> All { get; }
}
