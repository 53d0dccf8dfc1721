using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Push;
using Duplex.Engine.Registry;
using Duplex.Sdk;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>Pushes of customers: their secrets, and records that are sent again.</summary>
internal static class PushEndpoints
{
    private static readonly TimeSpan KeepFormer = TimeSpan.FromHours(24);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/customers/{customer}/push").WithTags("Customers");
        group.MapPost("/secret", Rotate).WithName("rotate_push_secret")
            .WithSummary("Replaces the secret of a customer's webhooks; for a time both sign each of them.")
            .WithExamples(RegistryExamples.CustomerPath).WithRequest(RegistryExamples.PushSecretBody)
            .WithAnswer(RegistryExamples.Rotated)
            .ForOperators().Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
        group.MapPost("/resend", Resend).WithName("resend_record")
            .WithSummary("Pushes a record again under its id, whatever became of it.")
            .WithExamples(RegistryExamples.CustomerPath).WithRequest(RegistryExamples.ResendBody)
            .WithAnswer(RegistryExamples.Resent)
            .ForOperators().Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
    }

    /// <summary>Why a caller of one tenant may not have a push; null if it may.</summary>
    public static Refusal? Confine(string tenant, PushModel push)
    {
        if (push.Allowed.Count > 0)
        {
            return Refusal.Forbidden("auth.forbidden", "This API key belongs to one tenant, and allow opens the server's own networks.",
                "Leave out allow, or let an operator of the server set it.");
        }

        return push.Topic is { } topic && !topic.Name.StartsWith($"{tenant}.", StringComparison.Ordinal)
            ? Refusal.Forbidden("auth.forbidden", $"This API key belongs to the tenant {tenant}, and the topic's name does not say so.",
                $"Begin the topic's name with {tenant} and a dot.")
            : null;
    }

    private static async Task<Results<Ok<CommandDocument>, Refusal>> Rotate(
        string customer, PushSecretRequest request, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        var keep = KeepFormer;
        if (request.KeepFormer is { } given && !Durations.TryParse(given, out keep))
        {
            return Refusal.BadRequest("request.bad_value", "keep_former", "keep_former is not a duration.", "For example 24h.");
        }

        await engine.Registry.Pushes.RotateSecretAsync(customer, request.Secret, keep, cancellationToken);
        return TypedResults.Ok(new CommandDocument(customer, "rotated"));
    }

    private static async Task<Results<Ok<CommandDocument>, Refusal>> Resend(
        string customer, PushResendRequest request, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        if (request.Offset is not { } offset)
        {
            return Refusal.BadRequest("request.bad_value", "offset", "offset is missing.", "Give the offset of a record of the feed.");
        }

        if (engine.Customers.PusherOf(customer) is not { } pusher)
        {
            return Refusal.Conflict("customer.not_pushed", $"The feed of {customer} is only polled.",
                "Set push with PUT /v1/customers/{customer}.");
        }

        try
        {
            await pusher.ResendAsync(offset, cancellationToken);
            return TypedResults.Ok(new CommandDocument(customer, "resent"));
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.SourceGap)
        {
            return Refusal.NotFound("request.unknown_record", "offset", e.Error.Message, $"GET /feed/{customer} shows what is there.");
        }
    }
}
