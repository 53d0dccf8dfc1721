using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Reconcile;
using Duplex.Sdk;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>What a sync would do. Reads both sides whole, so one plan runs per sync at a time.</summary>
internal static class PlanEndpoint
{
    private const string Lines = "application/x-ndjson";
    private static readonly ConcurrentDictionary<(SyncEngine Engine, string Sync), bool> Running = new();

    public static void Map(RouteGroupBuilder group) =>
        group.MapPost("/{tenant}/{name}/plan", Plan).WithName("plan_sync")
            .WithSummary("Counts what the sync would link, create, update and delete. Writes nothing.")
            .WithDescription($"With Accept: {Lines} the answer is lines of progress and at last the plan.")
            .WithExamples(Examples.SyncPath).WithAnswer(Examples.Plan)
            .ForOperators().Refuses(
                StatusCodes.Status404NotFound, StatusCodes.Status409Conflict, StatusCodes.Status502BadGateway);

    private static async Task<Results<Ok<PlanDocument>, EmptyHttpResult, Refusal>> Plan(
        string tenant, string name, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        if (!Lookup.Sync(engine, context, tenant, name, out var sync, out var refusal))
        {
            return refusal;
        }

        if (!Running.TryAdd((engine, sync.FullName), true))
        {
            return Refusal.Conflict("plan.running", $"A plan of {sync.FullName} is being made already.",
                "Wait for it to end and ask again.");
        }

        try
        {
            if (context.Request.Headers.Accept.ToString().Contains(Lines, StringComparison.OrdinalIgnoreCase))
            {
                await StreamAsync(engine, sync.FullName, context.Response, cancellationToken);
                return TypedResults.Empty;
            }

            var plan = await engine.PlanAsync(sync.FullName, null, cancellationToken);
            return TypedResults.Ok(Documents.Of(plan!));
        }
        finally
        {
            Running.TryRemove((engine, sync.FullName), out _);
        }
    }

    private static async Task StreamAsync(
        SyncEngine engine, string sync, HttpResponse response, CancellationToken cancellationToken)
    {
        var progress = Channel.CreateBounded<PlanLine>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        var plan = PlanAsync(engine, sync, progress, cancellationToken);
        response.ContentType = Lines;
        await foreach (var line in progress.Reader.ReadAllAsync(cancellationToken))
        {
            await WriteAsync(response, line, cancellationToken);
        }

        await WriteAsync(response, await plan, cancellationToken);
    }

    private static async Task<PlanLine> PlanAsync(
        SyncEngine engine, string sync, Channel<PlanLine> progress, CancellationToken cancellationToken)
    {
        try
        {
            var plan = await engine.PlanAsync(sync, new ChannelProgress(progress.Writer), cancellationToken);
            return new PlanLine(Plan: Documents.Of(plan!));
        }
        catch (SyncException e)
        {
            return new PlanLine(Problem: ProblemMiddleware.Of(e.Error).Problem);
        }
        finally
        {
            progress.Writer.TryComplete();
        }
    }

    private static async Task WriteAsync(HttpResponse response, PlanLine line, CancellationToken cancellationToken)
    {
        await JsonSerializer.SerializeAsync(response.Body, line, DuplexJson.Compact, cancellationToken);
        await response.Body.WriteAsync("\n"u8.ToArray(), cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
    }

    private sealed class ChannelProgress(ChannelWriter<PlanLine> writer) : IProgress<Progress>
    {
        public void Report(Progress value) =>
            writer.TryWrite(new PlanLine(Progress: new ProgressDocument(value.Done, value.Expected, value.Doing)));
    }
}
