using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Ingest;
using Duplex.Server.Access;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.Features;

namespace Duplex.Server.Ingest;

/// <summary>Takes changes over REST. A 2xx is sent only after the change log has them on disk.</summary>
internal sealed class IngestEndpoints(IngestDoor door, ServerModel server)
{
    private static readonly byte[] Healthy = """{"status":"healthy","service":"sync-service"}"""u8.ToArray();

    public static void Map(IEndpointRouteBuilder routes, SyncEngine engine, ServerModel server)
    {
        routes.MapGet("/health", static context => IngestAnswers.WriteAsync(context, Healthy));
        RequestDelegate one = NotConfiguredAsync;
        if (engine.Ingest is { } door)
        {
            one = new IngestEndpoints(door, server).ReceiveAsync;
        }

        routes.MapPost("/sync", one);
    }

    private static Task NotConfiguredAsync(HttpContext context) => Refusal.NotFound("ingest.not_configured", null,
        "This server takes no changes over REST.", "Add ingest: to duplex.yaml.").ExecuteAsync(context);

    private async Task ReceiveAsync(HttpContext context)
    {
        if (AccessGuard.AdmitPoster(context, server, out var caller) is { } stranger)
        {
            await stranger.ExecuteAsync(context);
            return;
        }

        if (IdempotencyKey.Read(context.Request, out var key) is { } refusal)
        {
            await IngestAnswers.WriteAsync(context, refusal);
            return;
        }

        Allow(context, door.Model.BodyBytesMax);
        using var body = await PostedBody.ReadAsync(context.Request, door);
        if (body.Refusal is not null)
        {
            await IngestAnswers.WriteAsync(context, body.Refusal);
            return;
        }

        await StoreAsync(context, body, new DeliveryNote(IdempotencyKey: key, Tenant: caller.Tenant));
    }

    private async Task StoreAsync(HttpContext context, PostedBody body, DeliveryNote note)
    {
        var batch = door.Rent();
        try
        {
            var refusal = door.Check(body.Bytes, note, batch, out var route);
            body.Release();
            refusal ??= await door.AppendAsync(batch, route!);
            await (refusal is null
                ? IngestAnswers.WriteAsync(context, route!.Published)
                : IngestAnswers.WriteAsync(context, refusal));
        }
        finally
        {
            door.Return(batch);
        }
    }

    /// <summary>The limit of an event is the door's own, whatever the server's limit for other bodies is.</summary>
    private static void Allow(HttpContext context, long bytesMax)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit
            && limit.MaxRequestBodySize < bytesMax)
        {
            limit.MaxRequestBodySize = bytesMax;
        }
    }
}
