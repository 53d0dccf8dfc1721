using Duplex.Client;
using Duplex.Engine;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>Connections: list, check, snapshot anew.</summary>
internal static class ConnectionEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/connections").WithTags("Connections");
        group.MapGet("/", List).WithName("list_connections")
            .WithSummary("Every connection with its state.")
            .WithAnswer(Examples.Connections);
        group.MapGet("/{tenant}/{name}", Get).WithName("get_connection")
            .WithSummary("One connection with its state.")
            .WithExamples(Examples.ConnectionPath).WithAnswer(Examples.Connection)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/{tenant}/{name}/check", Check).WithName("check_connection")
            .WithSummary(
                "Checks reachability, credentials, privileges and settings at the other side. Changes nothing there.")
            .WithExamples(Examples.ConnectionPath).WithAnswer(Examples.Check)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/{tenant}/{name}/resnapshot", Resnapshot).WithName("resnapshot_connection")
            .WithSummary("Captures the connection's streams anew, after a gap or on demand.")
            .WithExamples(Examples.ConnectionPath).WithAnswer(Examples.Resnapshot, StatusCodes.Status202Accepted)
            .ForOperators().Refuses(StatusCodes.Status404NotFound, StatusCodes.Status502BadGateway);
    }

    private static async Task<Ok<Page<ConnectionDocument>>> List(
        SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        var status = await engine.StatusAsync(cancellationToken);
        return TypedResults.Ok(new Page<ConnectionDocument>(
            [.. status.Connections.Where(c => Caller.Of(context).Sees(c.Tenant)).Select(Documents.Of)]));
    }

    private static async Task<Results<Ok<ConnectionDocument>, Refusal>> Get(
        string tenant, string name, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (!Lookup.Connection(engine, context, tenant, name, out _, out var refusal))
        {
            return refusal;
        }

        var status = await engine.StatusAsync(cancellationToken);
        return TypedResults.Ok(Documents.Of(status.Connections.First(c => c.Tenant == tenant && c.Name == name)));
    }

    private static async Task<Results<Ok<CheckDocument>, Refusal>> Check(
        string tenant, string name, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (!Lookup.Connection(engine, context, tenant, name, out var connection, out var refusal))
        {
            return refusal;
        }

        return TypedResults.Ok(await ConnectionCheck.RunAsync(connection, engine.Parts, cancellationToken));
    }

    private static async Task<Results<Accepted<CommandDocument>, Refusal>> Resnapshot(
        string tenant, string name, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (!Lookup.Connection(engine, context, tenant, name, out _, out var refusal))
        {
            return refusal;
        }

        await engine.ResnapshotAsync(tenant, name, cancellationToken);
        return TypedResults.Accepted(
            $"/v1/connections/{tenant}/{name}", new CommandDocument($"{tenant}/{name}", "resnapshot_started"));
    }
}
