using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping;
using Duplex.Engine.Routing;
using Duplex.Sdk;
using Duplex.Server.Api;

namespace Duplex.Server;

/// <summary>Checks what is configured against the systems it names. Changes nothing there.</summary>
public static class ConnectionCheck
{
    /// <summary>Runs a connector's own checks for the way the configured syncs use it. A connector's failure is a
    /// finding, too.</summary>
    public static async Task<CheckDocument> RunAsync(
        ConnectionModel connection, EngineParts parts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(parts);
        var findings = await CollectAsync(
            $"/connections/{connection.Name}",
            () => connection.Connector.CheckAsync(
                parts.ContextOf(connection), StreamUses.Of(parts.Model, connection), cancellationToken))
                    .ConfigureAwait(false);
        return new CheckDocument(
            connection.Tenant, connection.Name, connection.Connector.Spec.Name, IsOk(findings),
                [.. findings.Distinct().Select(Documents.Of)]);
    }

    /// <summary>Compiles a sync's mapping against the fields that both systems have.</summary>
    public static async Task<SyncCheckDocument> RunAsync(SyncModel sync, EngineParts parts,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sync);
        ArgumentNullException.ThrowIfNull(parts);
        var findings = await CollectAsync(sync.Path, async () =>
        {
            var a = await DescribeAsync(sync.A, parts, cancellationToken).ConfigureAwait(false);
            var b = await DescribeAsync(sync.B, parts, cancellationToken).ConfigureAwait(false);
            return MappingCompiler.Compile(sync, a, b).Findings;
        }).ConfigureAwait(false);
        return new SyncCheckDocument(sync.Tenant, sync.Name, IsOk(findings), [.. findings.Select(Documents.Of)]);
    }

    private static Task<StreamSchema> DescribeAsync(SyncSideModel side, EngineParts parts,
        CancellationToken cancellationToken) =>
        side.Connection.Connector.DescribeAsync(parts.ContextOf(side.Connection), side.Stream, cancellationToken);

    private static async Task<IReadOnlyList<Finding>> CollectAsync(string path,
        Func<Task<IReadOnlyList<Finding>>> check)
    {
        try
        {
            return await check().ConfigureAwait(false);
        }
        catch (SyncException e)
        {
            return
            [
                new Finding(FindingSeverity.Error, ErrorCodes.Dotted(e.Error.Code), e.Error.Path
                    ?? path, e.Error.Message,
                    e.Error.Suggestion),
            ];
        }
    }

    private static bool IsOk(IReadOnlyList<Finding> findings) =>
        findings.All(static f => f.Severity != FindingSeverity.Error);
}
