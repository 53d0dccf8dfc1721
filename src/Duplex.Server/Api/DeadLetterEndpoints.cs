using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.State;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>Dead letters: list, look at, replay.</summary>
internal static class DeadLetterEndpoints
{
    private const int ReplayMax = 10_000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/dead-letters").WithTags("Dead letters");
        group.MapGet("/", List).WithName("list_dead_letters")
            .WithSummary("Changes that wait for a person, newest first.")
            .WithExamples(Examples.DeadLetterQuery).WithAnswer(Examples.DeadLetters)
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        group.MapGet("/{id:long}", Get).WithName("get_dead_letter")
            .WithSummary("One dead letter with its change.")
            .WithExamples(Examples.DeadLetterPath).WithAnswer(Examples.DeadLetter)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/replay", Replay).WithName("replay_dead_letters")
            .WithSummary("Decides dead letters anew against the present state, so that nothing younger is overwritten. "
                + "What is asked for and not replayed was refused again, or is gone.")
            .WithRequest(Examples.Replay).WithAnswer(Examples.Replayed)
            .ForOperators().Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
    }

    private static async Task<Results<Ok<Page<DeadLetterDocument>>, Refusal>> List(
        string? sync, long? before, int? limit, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        if (!Lookup.Limit(limit, out var most, out var refusal)
            || !SyncFilter.Read(engine, context, sync, out var syncs, out refusal))
        {
            return refusal;
        }

        return TypedResults.Ok(await SyncFilter.PageAsync(syncs, most,
            one => engine.Parts.Store.ListDeadLettersAsync(one, before ?? 0, most, cancellationToken),
            static l => l.Id, static l => Documents.Of(l, withChange: false)));
    }

    private static async Task<Results<Ok<DeadLetterDocument>, Refusal>> Get(
        long id, SyncEngine engine, HttpContext context, CancellationToken cancellationToken) =>
        await FindAsync(engine, context, id, cancellationToken) is { } letter
            ? TypedResults.Ok(Documents.Of(letter, withChange: true))
            : Unknown(id);

    private static async Task<Results<Ok<ReplayDocument>, Refusal>> Replay(
        ReplayRequest request, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (request is { Ids: null, Sync: null } or { Ids: not null, Sync: not null }
            or { Ids.Count: 0 or > ReplayMax })
        {
            return Refusal.BadRequest("request.bad_value", "ids", "The body must name what to replay.",
                $$"""Give {"ids": [1, 2]} with 1 to {{ReplayMax}} numbers, or {"sync": "tenant/name"} for all of a sync.""");
        }

        if (request.Ids is { } ids)
        {
            foreach (var id in ids)
            {
                if (await FindAsync(engine, context, id, cancellationToken) is null)
                {
                    return Unknown(id);
                }
            }

            return TypedResults.Ok(new ReplayDocument(ids.Count, await engine.ReplayAsync(ids, cancellationToken)));
        }

        return SyncFilter.Read(engine, context, request.Sync, out var syncs, out var refusal)
            ? TypedResults.Ok(await ReplayAllAsync(engine, syncs[0]!, cancellationToken))
            : refusal;
    }

    private static async Task<ReplayDocument> ReplayAllAsync(
        SyncEngine engine, string sync, CancellationToken cancellationToken)
    {
        var asked = 0;
        var replayed = 0;
        var before = 0L;
        while (true)
        {
            var letters =
                await engine.Parts.Store.ListDeadLettersAsync(sync, before, Lookup.LimitMax, cancellationToken);
            if (letters.Count == 0)
            {
                return new ReplayDocument(asked, replayed);
            }

            before = letters[^1].Id;
            asked += letters.Count;
            replayed += await engine.ReplayAsync([.. letters.Select(static l => l.Id)], cancellationToken);
        }
    }

    private static async Task<DeadLetter?> FindAsync(
        SyncEngine engine, HttpContext context, long id, CancellationToken cancellationToken)
    {
        var letter = await engine.Parts.Store.FindDeadLetterAsync(id, cancellationToken);
        return letter is not null && SyncFilter.Sees(context, letter.Leg.Sync) ? letter : null;
    }

    private static Refusal Unknown(long id) => Refusal.NotFound("request.unknown_dead_letter", "id",
        $"There is no dead letter {id}; it may have been replayed.",
        "GET /v1/dead-letters, or duplex dlq list, shows those that wait.");
}
