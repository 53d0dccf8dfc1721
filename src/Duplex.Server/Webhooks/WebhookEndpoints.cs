using Duplex.Engine;
using Duplex.Sdk;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Webhooks;

/// <summary>
/// Takes vendors' deliveries as raw bytes. A 2xx is sent only after the change log has the delivery on disk. The
/// connector checks the signature; an API key is not asked for.
/// </summary>
internal static class WebhookEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/webhooks").WithTags("Webhooks");
        group.MapPost("/{connection}", ReceiveUnnamed);
        group.MapPost("/{tenant}/{connection}", Receive);
    }

    private static Task<Results<Ok<ReceivedDocument>, Refusal>> ReceiveUnnamed(
        string connection, SyncEngine engine, HttpContext context, CancellationToken cancellationToken) =>
        Receive(
            engine.Parts.Model.Connections.TryGetValue(connection, out var model) ? model.Tenant : "",
            connection, engine, context, cancellationToken);

    private static async Task<Results<Ok<ReceivedDocument>, Refusal>> Receive(
        string tenant, string connection, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        var body = await ReadAsync(context.Request, cancellationToken);
        var headers = context.Request.Headers;
        var delivery = new WebhookDelivery(
            body, name => headers.TryGetValue(name, out var values) ? values.ToString() : null);
        try
        {
            var (status, reason) = await engine.ReceiveWebhookAsync(tenant, connection, delivery, cancellationToken);
            return status == StatusCodes.Status200OK
                ? TypedResults.Ok(new ReceivedDocument(true))
                : Refuse(status, reason, connection, context.Response);
        }
        catch (SyncException e)
        {
            return Refuse(StatusCodes.Status503ServiceUnavailable, e.Error.Message, connection, context.Response);
        }
    }

    private static Refusal Refuse(int status, string? reason, string connection, HttpResponse response)
    {
        switch (status)
        {
            case StatusCodes.Status404NotFound:
                return Refusal.NotFound("webhook.unknown_connection", "connection",
                    reason ?? $"There is no connection {connection} that takes webhooks.",
                    "Point the vendor's endpoint at /webhooks/<tenant>/<connection> as in duplex.yaml.");
            case StatusCodes.Status401Unauthorized or StatusCodes.Status400BadRequest:
                return Refusal.Make(status, "The delivery is refused", "webhook.refused", reason
                    ?? "The delivery is refused.",
                    null, $"Check webhook_secret of the connection {connection} and the clocks of both machines.");
            default:
                response.Headers.RetryAfter = "5";
                return Refusal.Make(status, "Deliveries are not taken at the moment", "webhook.unavailable",
                    reason ?? "The change log takes no appends at the moment.", null, "Deliver again later.");
        }
    }

    private static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request,
        CancellationToken cancellationToken)
    {
        // Kestrel's body limit bounds both the declared and the real length.
        using var body = new MemoryStream((int)(request.ContentLength ?? 4096));
        await request.Body.CopyToAsync(body, cancellationToken);
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }
}

/// <summary>That a delivery is on disk.</summary>
internal sealed record ReceivedDocument(bool Received);
