using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Routing;
using Duplex.Sdk;
using Duplex.Server.Api;

namespace Duplex.Server;

/// <summary>Runs a connector's own checks for the way the configured syncs use a connection.</summary>
public static class ConnectionCheck
{
    /// <summary>Checks one connection. A connector's failure is a finding, too.</summary>
    public static async Task<CheckDocument> RunAsync(
        ConnectionModel connection, EngineParts parts, string installation, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(parts);
        var context = new ConnectorContext
        {
            Tenant = connection.Tenant,
            Connection = connection.Name,
            Installation = installation,
            Settings = connection.Settings,
            Budget = parts.Budget,
            Clock = parts.Clock,
            Loggers = parts.Loggers,
            HttpHandler = parts.HttpHandler,
        };
        IReadOnlyList<Finding> findings;
        try
        {
            findings = await connection.Connector.CheckAsync(context, StreamUses.Of(parts.Model, connection), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (SyncException e)
        {
            findings = [new Finding(FindingSeverity.Error, ErrorCodes.Dotted(e.Error.Code), $"/connections/{connection.Name}",
                e.Error.Message, e.Error.Suggestion)];
        }

        return new CheckDocument(
            connection.Tenant,
            connection.Name,
            connection.Connector.Spec.Name,
            findings.All(static f => f.Severity != FindingSeverity.Error),
            [.. findings.Select(Documents.Of)]);
    }
}
