using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.State;
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
            findings = await connection.Connector.CheckAsync(context, Uses(connection, parts.Model), cancellationToken)
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

    /// <summary>How the syncs of the model use the connection's streams.</summary>
    public static IReadOnlyList<StreamUse> Uses(ConnectionModel connection, EngineModel model)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(model);
        var uses = new Dictionary<string, StreamUse>(StringComparer.Ordinal);
        foreach (var sync in model.Syncs.Values)
        {
            foreach (var side in new[] { Side.A, Side.B })
            {
                var here = sync.Of(side);
                if (here.Connection.Name != connection.Name)
                {
                    continue;
                }

                var other = side.Other();
                var writes = sync.Flows(other);
                var before = uses.GetValueOrDefault(here.Stream) ?? new StreamUse(here.Stream, false, false, false);
                uses[here.Stream] = new StreamUse(
                    here.Stream,
                    before.Reads || sync.Flows(side),
                    before.Writes || writes,
                    before.Deletes || (writes && sync.Of(other).OnDelete == DeletePolicy.Propagate));
            }
        }

        return [.. uses.Values];
    }
}
