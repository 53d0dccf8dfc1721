using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Hosting;

namespace Duplex.Server.Feeds;

/// <summary>
/// Feeds: what is stored for each customer, to poll, to wait for or to follow. Served by both planes: customers come to
/// the data plane, operators to the control plane.
/// </summary>
internal static class FeedEndpoints
{
    /// <summary>Maps the feeds on the data plane.</summary>
    public static void MapData(IEndpointRouteBuilder routes, ServerModel server) =>
        Map(routes).AddEndpointFilter(new FeedAccess(server));

    /// <summary>Maps the feeds on a plane whose callers are let in already.</summary>
    public static RouteGroupBuilder Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/feed").WithTags("Feeds");
        group.MapGet("/", List).WithName("list_feeds")
            .WithSummary("Every feed with its bounds.")
            .WithAnswer(Examples.Feeds);
        group.MapGet("/{customer}", Read).WithName("read_feed")
            .WithSummary("Records after an offset: a page, a long poll with wait, or with Accept: text/event-stream a "
                + "stream of events whose ids are offsets.")
            .Produces<FeedPage>()
            .WithExamples(Examples.FeedQuery).WithAnswer(Examples.FeedPage)
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status410Gone);
        group.MapGet("/{customer}/consumers", ListConsumers).WithName("list_feed_consumers")
            .WithSummary("The consumers that have stored a position, and how far each is behind.")
            .WithExamples(Examples.FeedPath).WithAnswer(Examples.FeedConsumers)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/{customer}/consumers/{consumer}", Commit).WithName("commit_feed_consumer")
            .WithSummary("Stores the offset of the last record that a consumer has dealt with. It goes back only with rewind.")
            .WithExamples(Examples.FeedConsumerPath).WithRequest(Examples.FeedCommit).WithAnswer(Examples.FeedConsumer)
            .ForOperators().Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        return group;
    }

    private static async Task<Ok<Page<FeedDocument>>> List(
        SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        var feeds = engine.Parts.Feeds is { } store ? await store.DescribeAsync(cancellationToken) : [];
        return TypedResults.Ok(new Page<FeedDocument>([.. feeds.Where(f => Caller.Of(context).Sees(f.Name))
            .Select(static f => new FeedDocument(f.Name, f.FirstOffset, f.LastOffset, f.Bytes,
                f.OldestMicros == 0 ? null : FeedRecordJson.Instant(f.OldestMicros)))]));
    }

    private static async Task<IResult> Read(
        [AsParameters] FeedParameters given, SyncEngine engine, IHostApplicationLifetime lifetime, HttpContext context,
        CancellationToken cancellationToken)
    {
        if (!FeedQuery.TryRead(given, context.Request.Headers, out var query, out var refusal))
        {
            return refusal;
        }

        if (await FindAsync(engine, context, given.Customer, cancellationToken) is not { } found)
        {
            return await UnknownAsync(engine, context, given.Customer, cancellationToken);
        }

        if (query.Acknowledge && Caller.Of(context).Role < ApiRole.Operator)
        {
            return Refusal.Forbidden("auth.forbidden", "This API key may read and not acknowledge.",
                "Leave out ack=true, or use a key with the role operator.");
        }

        var poll = new FeedPoll(found.Store, given.Customer, query);
        try
        {
            var after = await poll.BeginAsync(found.State, cancellationToken);
            var slice = await poll.ReadAsync(after, cancellationToken);
            var stopping = lifetime.ApplicationStopping;
            return WantsEvents(context.Request)
                ? new FeedEventStream(poll, slice, stopping)
                : new FeedPageAnswer(poll, await poll.WaitAsync(slice, query.Wait, stopping, cancellationToken));
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.SourceGap)
        {
            return await poll.GoneAsync(e.Error, cancellationToken);
        }
    }

    private static async Task<Results<Ok<Page<FeedConsumerDocument>>, Refusal>> ListConsumers(
        string customer, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (await FindAsync(engine, context, customer, cancellationToken) is not { } found)
        {
            return await UnknownAsync(engine, context, customer, cancellationToken);
        }

        var consumers = await found.Store.ListConsumersAsync(customer, cancellationToken);
        return TypedResults.Ok(new Page<FeedConsumerDocument>([.. consumers
            .OrderBy(static c => c.Key, StringComparer.Ordinal)
            .Select(c => new FeedConsumerDocument(customer, c.Key, c.Value, found.State.LastOffset - c.Value))]));
    }

    private static async Task<Results<Ok<FeedConsumerDocument>, Refusal>> Commit(
        string customer, string consumer, FeedCommitRequest request, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        if (await FindAsync(engine, context, customer, cancellationToken) is not { } found)
        {
            return await UnknownAsync(engine, context, customer, cancellationToken);
        }

        if (!FeedQuery.IsConsumer(consumer))
        {
            return FeedQuery.BadConsumer(consumer);
        }

        if (request.Offset is not { } offset || offset < 0 || offset > found.State.LastOffset)
        {
            return Refusal.BadRequest("request.bad_value", "offset",
                request.Offset is null ? "offset is missing." : $"offset is {request.Offset}.",
                $"Give the offset of the last record that was dealt with, from 0 to {found.State.LastOffset}.");
        }

        await found.Store.CommitConsumerAsync(customer, consumer, offset, request.Rewind, cancellationToken);
        var stored = await found.Store.ReadConsumerAsync(customer, consumer, cancellationToken) ?? offset;
        return TypedResults.Ok(
            new FeedConsumerDocument(customer, consumer, stored, found.State.LastOffset - stored));
    }

    private static async ValueTask<(IFeedStore Store, FeedState State)?> FindAsync(
        SyncEngine engine, HttpContext context, string customer, CancellationToken cancellationToken) =>
        engine.Parts.Feeds is { } store && Caller.Of(context).Sees(customer)
            && await store.FindAsync(customer, cancellationToken) is { } state
            ? (store, state)
            : null;

    private static async ValueTask<Refusal> UnknownAsync(
        SyncEngine engine, HttpContext context, string customer, CancellationToken cancellationToken)
    {
        var feeds = engine.Parts.Feeds is { } store ? await store.DescribeAsync(cancellationToken) : [];
        var known = string.Join(", ", feeds.Select(static f => f.Name).Where(Caller.Of(context).Sees).Take(20));
        return Refusal.NotFound("request.unknown_feed", "customer", $"There is no feed of customer {customer}.",
            known.Length == 0 ? "A feed begins with the first customer that is configured." : $"Feeds: {known}.");
    }

    private static bool WantsEvents(HttpRequest request) =>
        request.Headers.Accept.Any(static a => a!.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase));
}
