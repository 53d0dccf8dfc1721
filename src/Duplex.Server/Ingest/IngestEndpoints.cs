using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Ingest;
using Duplex.Sdk;
using Duplex.Server.Access;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.Features;

namespace Duplex.Server.Ingest;

/// <summary>Takes changes over REST. A 2xx is sent only after the change log has them on disk.</summary>
internal sealed class IngestEndpoints(IngestDoor door, ServerModel server)
{
    private const long DrainedBytesMax = 16 << 20;
    private static readonly byte[] Healthy = """{"status":"healthy","service":"sync-service"}"""u8.ToArray();

    public static void Map(IEndpointRouteBuilder routes, SyncEngine engine, ServerModel server)
    {
        routes.MapGet("/health", static context => IngestAnswers.WriteAsync(context, Healthy));
        RequestDelegate one = NotConfiguredAsync, several = NotConfiguredAsync;
        if (engine.Ingest is { } door)
        {
            var endpoints = new IngestEndpoints(door, server);
            one = endpoints.ReceiveAsync;
            several = endpoints.ReceiveSeveralAsync;
        }

        routes.MapPost("/sync", one);
        routes.MapPost("/events", one);
        routes.MapPost("/sync/batch", several);
    }

    private static Task NotConfiguredAsync(HttpContext context) => Refusal.NotFound("ingest.not_configured", null,
        "This server takes no changes over REST.", "Add ingest: to duplex.yaml.").ExecuteAsync(context);

    private Task ReceiveAsync(HttpContext context)
    {
        if (Admit(context, out var note) is { } refused)
        {
            return refused;
        }

        return PostedForm.IsCloudEventList(context.Request)
            ? StoreSeveralAsync(context, note)
            : StoreAsync(context, note);
    }

    private Task ReceiveSeveralAsync(HttpContext context) =>
        Admit(context, out var note) ?? StoreSeveralAsync(context, note);

    private Task? Admit(HttpContext context, out DeliveryNote note)
    {
        note = default;
        if (AccessGuard.AdmitPoster(context, server, out var caller) is { } stranger)
        {
            return stranger.ExecuteAsync(context);
        }

        if (PostedForm.IsCompressed(context.Request, out var coding))
        {
            return IngestAnswers.WriteAsync(context, IngestRefusal.Compressed(coding));
        }

        if (IdempotencyKey.Read(context.Request, out var key) is { } refusal)
        {
            return IngestAnswers.WriteAsync(context, refusal);
        }

        note = new DeliveryNote(IdempotencyKey: key, Tenant: caller.Tenant);
        return null;
    }

    private async Task StoreAsync(HttpContext context, DeliveryNote note)
    {
        Allow(context, door.Model.BodyBytesMax);
        using var body = await PostedBody.ReadAsync(context.Request, door);
        var batch = door.Rent();
        try
        {
            TableRoute? route = null;
            var refusal = body.Refusal ?? Check(context.Request, body.Bytes, note, batch, out route);
            body.Release();
            if (refusal is null && !route!.IsOpen)
            {
                refusal = await door.OpenAsync(route);
            }

            refusal ??= await door.AppendAsync(batch);
            if (refusal is not null)
            {
                door.Counters.Refuse(1);
            }

            await (refusal is null
                ? IngestAnswers.WriteAsync(context, route!.Published)
                : IngestAnswers.WriteAsync(context, refusal));
        }
        finally
        {
            door.Return(batch);
        }
    }

    private IngestRefusal? Check(
        HttpRequest request, ReadOnlyMemory<byte> body, in DeliveryNote note, ChangeBatch batch, out TableRoute? route)
    {
        if (PostedForm.IsCloudEvent(request))
        {
            return CloudEvents.Check(door, body, note.Over(body.Span), batch, out route);
        }

        if (!PostedForm.HasCloudEventHeaders(request))
        {
            return door.Check(body, note.Over(body.Span), batch, out route);
        }

        route = null;
        return PostedForm.ReadHeaders(request, note, out var told)
            ?? door.Check(body, told.Over(body.Span), batch, out route);
    }

    private async Task StoreSeveralAsync(HttpContext context, DeliveryNote note)
    {
        var request = context.Request;
        Allow(context, BatchPost.BytesMax);
        if (request.ContentLength > BatchPost.BytesMax)
        {
            await IngestAnswers.WriteAsync(context, IngestRefusal.TooLarge(BatchPost.BytesMax));
            return;
        }

        var outcome = await BatchPost.RunAsync(door, request.Body, PostedForm.BatchFormOf(request),
            PostedForm.IsCloudEventList(request), note, context.RequestAborted);
        await BatchAnswer.WriteAsync(context, outcome);
    }

    /// <summary>
    /// The limit of events is their own, whatever the server's limit for other bodies is. The server takes somewhat more,
    /// and throws it away: a poster that is still sending when it is answered would not see the answer.
    /// </summary>
    private static void Allow(HttpContext context, long bytesMax)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit
            && limit.MaxRequestBodySize < bytesMax + DrainedBytesMax)
        {
            limit.MaxRequestBodySize = bytesMax + DrainedBytesMax;
        }
    }
}
