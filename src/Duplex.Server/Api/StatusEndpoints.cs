using System.Reflection;
using Duplex.Client;
using Duplex.Engine;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>The whole at one instant, the change log, and the catalogue of connectors.</summary>
internal static class StatusEndpoints
{
    public static string Version { get; } =
        typeof(StatusEndpoints)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            .Split('+')[0] ?? "0";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1").WithTags("Status");
        group.MapGet("/status", GetStatus).WithName("get_status")
            .WithSummary("The state of every connection, sync and customer.")
            .WithAnswer(Examples.Status);
        group.MapGet("/log", GetLog).WithName("list_partitions")
            .WithSummary("The partitions of the change log. Needs a key without a tenant.")
            .WithAnswer(Examples.Log)
            .Refuses(StatusCodes.Status403Forbidden, StatusCodes.Status503ServiceUnavailable);
        group.MapGet("/connectors", ListConnectors).WithName("list_connectors")
            .WithSummary("Every connector with the settings that a connection of it takes.")
            .WithAnswer(Examples.Connectors);
    }

    private static async Task<Ok<StatusDocument>> GetStatus(
        SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        var status = await engine.StatusAsync(cancellationToken);
        var caller = Caller.Of(context);
        return TypedResults.Ok(new StatusDocument(
            status.Ready,
            caller.Tenant is null ? status.NotReadyBecause : [],
            Version,
            status.StartedAt,
            Documents.Of(status.Storage),
            [.. status.Connections.Where(c => caller.Sees(c.Tenant)).Select(Documents.Of)],
            [.. status.Syncs.Where(s => caller.Sees(s.Tenant))
                .Select(s => Documents.Of(s, engine.Parts.Model.Syncs[s.FullName]))])
        {
            Customers = [.. status.Customers.Where(c => caller.Sees(c.Tenant)).Select(static c =>
                new CustomerStateDocument(c.Tenant, c.Name, RegistryDocuments.Of(c)))],
            Ingest = engine.Ingest is { } door && caller.Tenant is null
                ? new IngestDocument(door.Schemas.Tables.Count(), door.Counters.Taken, door.Counters.Repeated, door.Counters.Refused)
                : null,
        });
    }

    private static async Task<Results<Ok<Page<PartitionDocument>>, Problems.Refusal>> GetLog(
        SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (Caller.Of(context).Tenant is not null)
        {
            return Problems.Refusal.Forbidden("auth.forbidden",
                "The change log holds every tenant; this key belongs to one.",
                "Use a key without a tenant.");
        }

        var partitions = await engine.Parts.Log.DescribeAsync(cancellationToken);
        return TypedResults.Ok(new Page<PartitionDocument>([.. partitions.Select(Documents.Of)]));
    }

    private static Ok<Page<ConnectorDocument>> ListConnectors(ConnectorCatalog catalog) =>
        TypedResults.Ok(new Page<ConnectorDocument>([.. catalog.All.Select(static c => Documents.Of(c.Spec))]));
}
