using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.State;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;
using Conflict = Duplex.Engine.State.Conflict;

namespace Duplex.Server.Api;

/// <summary>Conflicts: those that policies decided, and those that wait for a person, who decides them here.</summary>
internal static class ConflictEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/conflicts").WithTags("Conflicts");
        group.MapGet("/", List).WithName("list_conflicts")
            .WithSummary(
                "Fields that both sides changed, newest first, with the value that lost and the policy that decided.")
            .WithExamples(Examples.ConflictQuery).WithAnswer(Examples.Conflicts)
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        group.MapGet("/{id:long}", Get).WithName("get_conflict")
            .WithSummary("One conflict.")
            .WithExamples(Examples.ConflictPath).WithAnswer(Examples.Conflict)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/{id:long}/resolve", Resolve).WithName("resolve_conflict")
            .WithSummary("Decides a conflict that waits: one side's value, or a third one, goes to both sides.")
            .WithDescription(
                "Accepted when the decision is durable. The writes follow as those of any other change; the conflict shows its "
                + "winner once they are done.")
            .WithExamples(Examples.ConflictPath).WithRequest(Examples.Resolve)
            .WithAnswer(Examples.Conflict, StatusCodes.Status202Accepted)
            .ForOperators().Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound,
                StatusCodes.Status409Conflict, StatusCodes.Status502BadGateway);
    }

    private static async Task<Results<Ok<Page<ConflictDocument>>, Refusal>> List(
        string? sync, bool? waiting, long? before, int? limit, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        if (!Lookup.Limit(limit, out var most, out var refusal)
            || !SyncFilter.Read(engine, context, sync, out var syncs, out refusal))
        {
            return refusal;
        }

        return TypedResults.Ok(await SyncFilter.PageAsync(syncs, most,
            one => engine.Parts.Store.ListConflictsAsync(one, waiting ?? false, before ?? 0, most, cancellationToken),
            static c => c.Id, Documents.Of));
    }

    private static async Task<Results<Ok<ConflictDocument>, Refusal>> Get(
        long id, SyncEngine engine, HttpContext context, CancellationToken cancellationToken) =>
        await FindAsync(engine, context, id, cancellationToken) is { } conflict
            ? TypedResults.Ok(Documents.Of(conflict))
            : Unknown(id);

    private static async Task<Results<Accepted<ConflictDocument>, Refusal>> Resolve(
        long id, ResolveRequest request, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (request.Use is not ("a" or "b"))
        {
            return Refusal.BadRequest("request.bad_value", "use",
                request.Use is null ? "use is missing." : $"use is {request.Use}.",
                """Give {"use": "a"} or {"use": "b"}: the side whose value stands, or in whose form "value" is.""");
        }

        if (await FindAsync(engine, context, id, cancellationToken) is not { } conflict
            || !await engine.ResolveAsync(id, request.Use == "a" ? Side.A : Side.B,
                request.Value.ValueKind == System.Text.Json.JsonValueKind.Undefined ? null : request.Value,
                cancellationToken))
        {
            return Unknown(id);
        }

        return TypedResults.Accepted($"/v1/conflicts/{id}", Documents.Of(conflict));
    }

    private static async Task<Conflict?> FindAsync(
        SyncEngine engine, HttpContext context, long id, CancellationToken cancellationToken)
    {
        var conflict = await engine.Parts.Store.FindConflictAsync(id, cancellationToken);
        return conflict is not null && SyncFilter.Sees(context, conflict.Sync) ? conflict : null;
    }

    private static Refusal Unknown(long id) => Refusal.NotFound("request.unknown_conflict", "id",
        $"There is no conflict {id}; both sides may agree again.",
        "GET /v1/conflicts, or duplex conflicts list, shows those that are kept.");
}
