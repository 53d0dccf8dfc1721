using Duplex.Engine;
using Duplex.Server.Metrics;
using Duplex.Server.OpenApi;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>Health, readiness and metrics, for whatever runs the process.</summary>
internal static class HealthEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").WithTags("Health");
        group.MapGet("/healthz", static () => TypedResults.Ok(new HealthDocument("alive"))).WithName("healthz")
            .WithSummary("200 while the process serves requests.")
            .WithAnswer(Examples.Health);
        group.MapGet("/readyz", Ready).WithName("readyz")
            .WithSummary("200 only while data moves; otherwise 503 with the reasons.")
            .Produces<ReadyDocument>(StatusCodes.Status503ServiceUnavailable)
            .WithAnswer(Examples.Ready);
    }

    public static void MapMetrics(IEndpointRouteBuilder routes) =>
        routes.MapGet("/metrics", WriteMetrics)
            .WithName("metrics").WithTags("Health")
            .WithSummary("The state as gauges, and every counter, in Prometheus' text format.")
            .Produces<string>(StatusCodes.Status200OK, "text/plain");

    private static async Task<ContentHttpResult> WriteMetrics(
        MeterExposition exposition, SyncEngine engine, CancellationToken cancellationToken)
    {
        var status = await engine.StatusAsync(cancellationToken);
        return TypedResults.Text(
            StatusMetrics.Write(status) + (engine.Ingest is { } door ? StatusMetrics.Write(door.Counters) : "") + exposition.Write(),
            "text/plain; version=0.0.4; charset=utf-8");
    }

    private static async Task<Results<Ok<ReadyDocument>, JsonHttpResult<ReadyDocument>>> Ready(
        SyncEngine engine, CancellationToken cancellationToken)
    {
        try
        {
            var status = await engine.StatusAsync(cancellationToken).AsTask().WaitAsync(Patience, cancellationToken);
            return status.Ready
                ? TypedResults.Ok(new ReadyDocument(true, []))
                : NotReady(status.NotReadyBecause);
        }
        catch (TimeoutException)
        {
            return NotReady(["The engine does not answer."]);
        }
        catch (Sdk.SyncException e)
        {
            return NotReady([e.Error.Message]);
        }
    }

    private static JsonHttpResult<ReadyDocument> NotReady(IReadOnlyList<string> because) =>
        TypedResults.Json(new ReadyDocument(false, because), statusCode: StatusCodes.Status503ServiceUnavailable);
}

/// <summary>That the process serves requests.</summary>
internal sealed record HealthDocument(string Status);

/// <summary>Whether data moves, and why not.</summary>
internal sealed record ReadyDocument(bool Ready, IReadOnlyList<string> Because);
