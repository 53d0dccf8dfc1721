using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Registry;
using Duplex.Sdk;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>Parts of the log that are sent to a customer's feed again.</summary>
internal static class ReplayEndpoints
{
    private const int RangesMax = 4_096;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/customers/{customer}/replay").WithTags("Customers");
        group.MapPost("/", Start).WithName("start_feed_replay")
            .WithSummary("Sends a part of the log to the customer's feed again, by record, by time or by offsets.")
            .WithDescription(
                "Records are made with the mapping that is active now and are appended as further records of the feed. Each is followed "
                + "by all that is newer of it, so that its last state stays the last. One replay at a time; it survives restarts.")
            .WithExamples(RegistryExamples.CustomerPath).WithRequest(RegistryExamples.ReplayBody)
            .WithAnswer(RegistryExamples.Replay, StatusCodes.Status202Accepted)
            .ForOperators().Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
        group.MapGet("/", Get).WithName("get_feed_replay")
            .WithSummary("The customer's last replay, with its progress.")
            .WithExamples(RegistryExamples.CustomerPath).WithAnswer(RegistryExamples.Replay)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapDelete("/", Cancel).WithName("cancel_feed_replay")
            .WithSummary("Ends the replay soon: it takes up nothing more, and what was sent is followed by what is newer.")
            .WithExamples(RegistryExamples.CustomerPath).WithAnswer(RegistryExamples.Replay)
            .ForOperators().Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Accepted<FeedReplayDocument>, Refusal>> Start(
        string customer, FeedReplayRequest request, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        if (Wrong(request) is { } refusal)
        {
            return refusal;
        }

        var replay = await engine.Registry.Replays.StartReplayAsync(customer, new ReplayScope(request.Table,
            string.IsNullOrEmpty(request.Key) ? null : RecordKey.Parse(request.Key), request.From, request.To,
            request.Offsets?.ToDictionary(static o => o.Partition, static o => (o.From, o.To))), cancellationToken);
        return TypedResults.Accepted($"/v1/customers/{customer}/replay", RegistryDocuments.Of(replay));
    }

    private static async Task<Results<Ok<FeedReplayDocument>, Refusal>> Get(
        string customer, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        return await engine.Registry.Replays.ReplayAsync(customer, cancellationToken) is { } replay
            ? TypedResults.Ok(RegistryDocuments.Of(replay)) : None(customer);
    }

    private static async Task<Results<Ok<FeedReplayDocument>, Refusal>> Cancel(
        string customer, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        await engine.Registry.Replays.CancelReplayAsync(customer, cancellationToken);
        return await engine.Registry.Replays.ReplayAsync(customer, cancellationToken) is { } replay
            ? TypedResults.Ok(RegistryDocuments.Of(replay)) : None(customer);
    }

    private static Refusal? Wrong(FeedReplayRequest request) => request switch
    {
        { Offsets: not null, Table: null } => Refusal.BadRequest("request.bad_value", "table",
            "offsets are those of one table, and table is missing.", "Name the table."),
        { Offsets: not null, From: not null } or { Offsets: not null, To: not null } => Refusal.BadRequest(
            "request.bad_value", "offsets", "offsets and times are both given.", "Give one of them."),
        { Offsets.Count: > RangesMax } => Refusal.BadRequest(
            "request.bad_value", "offsets", "There are too many offsets.", $"Give at most {RangesMax}."),
        { Offsets: { } offsets } when offsets.DistinctBy(static o => o.Partition).Count() < offsets.Count => Refusal.BadRequest(
            "request.bad_value", "offsets", "A partition is given twice.", "Give each partition once."),
        { From: { } from, To: { } to } when from >= to => Refusal.BadRequest(
            "request.bad_value", "to", "to is not after from.", "Give a later time."),
        _ => null,
    };

    private static Refusal None(string customer) => Refusal.NotFound("request.unknown_replay", "customer",
        $"{customer} never had a replay.", "POST /v1/customers/{customer}/replay begins one.");
}
