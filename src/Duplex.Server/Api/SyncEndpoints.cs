using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>Syncs: list, pause, resume; and the records in them.</summary>
internal static class SyncEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/syncs").WithTags("Syncs");
        group.MapGet("/", List).WithName("list_syncs")
            .WithSummary("Every sync with its legs.")
            .WithAnswer(Examples.Syncs);
        group.MapGet("/{tenant}/{name}", Get).WithName("get_sync")
            .WithSummary("One sync with its legs.")
            .WithExamples(Examples.SyncPath).WithAnswer(Examples.Sync)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/{tenant}/{name}/check", Check).WithName("check_sync")
            .WithSummary("Compiles the mapping against the fields that both sides have. Changes nothing.")
            .WithExamples(Examples.SyncPath).WithAnswer(Examples.SyncCheck)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/{tenant}/{name}/pause", Pause).WithName("pause_sync")
            .WithSummary("Pauses both legs. Survives restarts.")
            .WithExamples(Examples.SyncPath).WithAnswer(Examples.Paused)
            .ForOperators().Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/{tenant}/{name}/resume", Resume).WithName("resume_sync")
            .WithSummary("Resumes a paused or blocked sync; releases a brake.")
            .WithExamples(Examples.SyncPath).WithAnswer(Examples.Resumed)
            .ForOperators().Refuses(StatusCodes.Status404NotFound);
        group.MapGet("/{tenant}/{name}/record", GetRecord).WithName("get_record")
            .WithSummary("Both sides of a record compared through the mapping, with its timeline.")
            .WithDescription("The key is a single value, or a JSON array of texts for a composite key.")
            .WithExamples(Examples.RecordQuery).WithAnswer(Examples.Record)
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        group.MapGet("/{tenant}/{name}/timeline", GetTimeline).WithName("get_timeline")
            .WithSummary("A record's timeline, oldest first. Asks neither side.")
            .WithExamples(Examples.RecordQuery).WithAnswer(Examples.Timeline)
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        PlanEndpoint.Map(group);
    }

    private static async Task<Ok<Page<SyncDocument>>> List(
        SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        var status = await engine.StatusAsync(cancellationToken);
        return TypedResults.Ok(new Page<SyncDocument>(
            [.. status.Syncs.Where(s => Caller.Of(context).Sees(s.Tenant))
                .Select(s => Documents.Of(s, engine.Parts.Model.Syncs[s.FullName]))]));
    }

    private static async Task<Results<Ok<SyncDocument>, Refusal>> Get(
        string tenant, string name, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (!Lookup.Sync(engine, context, tenant, name, out var sync, out var refusal))
        {
            return refusal;
        }

        var status = await engine.StatusAsync(cancellationToken);
        return TypedResults.Ok(Documents.Of(status.Syncs.First(s => s.FullName == sync.FullName), sync));
    }

    private static async Task<Results<Ok<SyncCheckDocument>, Refusal>> Check(
        string tenant, string name, SyncEngine engine, HttpContext context, CancellationToken cancellationToken) =>
        Lookup.Sync(engine, context, tenant, name, out var sync, out var refusal)
            ? TypedResults.Ok(await ConnectionCheck.RunAsync(sync, engine.Parts, cancellationToken))
            : refusal;

    private static async Task<Results<Ok<CommandDocument>, Refusal>> Pause(
        string tenant, string name, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (!Lookup.Sync(engine, context, tenant, name, out var sync, out var refusal))
        {
            return refusal;
        }

        await engine.PauseAsync(sync.FullName, cancellationToken);
        return TypedResults.Ok(new CommandDocument(sync.FullName, "paused"));
    }

    private static async Task<Results<Ok<CommandDocument>, Refusal>> Resume(
        string tenant, string name, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (!Lookup.Sync(engine, context, tenant, name, out var sync, out var refusal))
        {
            return refusal;
        }

        await engine.ResumeAsync(sync.FullName, cancellationToken);
        return TypedResults.Ok(new CommandDocument(sync.FullName, "resumed"));
    }

    private static async Task<Results<Ok<RecordDocument>, Refusal>> GetRecord(
        string tenant, string name, string? side, string? key, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        if (!Lookup.Sync(engine, context, tenant, name, out var sync, out var refusal)
            || !Lookup.Side(side, out var at, out refusal)
            || (refusal = KeyMissing(key)) is not null)
        {
            return refusal;
        }

        var view = await engine.ViewAsync(sync.FullName, at, RecordKey.Parse(key!), cancellationToken);
        return view is null || IsUnheardOf(view)
            ? Refusal.NotFound("request.unknown_record", "key",
                $"{sync.FullName} has never seen a record {key} on side {side}, and the system does not have it.",
                $"Check the key; side {side} is {sync.Of(at).Connection.Name}:{sync.Of(at).Stream}.")
            : TypedResults.Ok(Documents.Of(view));
    }

    private static async Task<Results<Ok<Page<TimelineDocument>>, Refusal>> GetTimeline(
        string tenant, string name, string? side, string? key, int? limit, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        if (!Lookup.Sync(engine, context, tenant, name, out var sync, out var refusal)
            || !Lookup.Side(side, out var at, out refusal)
            || !Lookup.Limit(limit, out var most, out refusal)
            || (refusal = KeyMissing(key)) is not null)
        {
            return refusal;
        }

        var lines = await engine.Parts.Store.ReadTimelineAsync(
            sync.FullName, at, RecordKey.Parse(key!), most, cancellationToken);
        return TypedResults.Ok(new Page<TimelineDocument>([.. lines.Select(Documents.Of)]));
    }

    private static Refusal? KeyMissing(string? key) => string.IsNullOrEmpty(key)
        ? Refusal.BadRequest("request.bad_value", "key", "key is missing.",
            """Give the record's key, e.g. key=42, or a JSON array for a composite key, e.g. key=["eu","42"].""")
        : null;

    private static bool IsUnheardOf(Engine.Diagnostics.RecordView view) =>
        view is { Link: null, A: null, B: null, ErrorA: null, ErrorB: null, Pending: null, DeadLetter: null,
            Timeline.Count: 0 };
}
