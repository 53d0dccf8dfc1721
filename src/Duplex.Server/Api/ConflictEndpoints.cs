using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.State;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Conflict = Duplex.Engine.State.Conflict;

namespace Duplex.Server.Api;

/// <summary>Conflicts: those that policies decided, and those that wait for a person.</summary>
internal static class ConflictEndpoints
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGroup("/v1/conflicts").WithTags("Conflicts").MapGet("/", List).WithName("list_conflicts")
            .WithSummary(
                "Fields that both sides changed, newest first, with the value that lost and the policy that decided.")
            .WithExamples(Examples.ConflictQuery).WithAnswer(Examples.Conflicts)
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);

    private static async Task<Results<Ok<Page<ConflictDocument>>, Refusal>> List(
        string? sync, bool? waiting, int? limit, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        if (!Lookup.Limit(limit, out var most, out var refusal)
            || !SyncFilter.Read(engine, context, sync, out var syncs, out refusal))
        {
            return refusal;
        }

        var conflicts = new List<Conflict>();
        foreach (var one in syncs)
        {
            conflicts.AddRange(
                await engine.Parts.Store.ListConflictsAsync(one, waiting ?? false, most, cancellationToken));
        }

        return TypedResults.Ok(new Page<ConflictDocument>(
            [.. conflicts.OrderByDescending(static c => c.Id).Take(most).Select(Documents.Of)]));
    }
}
