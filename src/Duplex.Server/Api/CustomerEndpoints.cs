using System.Text.Json;
using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Registry;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>Customers: list, make, change, remove, pause, resume.</summary>
internal static class CustomerEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/customers").WithTags("Customers");
        group.MapGet("/", List).WithName("list_customers")
            .WithSummary("Every customer with its tables, mappings and progress.")
            .WithAnswer(RegistryExamples.Customers);
        group.MapGet("/{customer}", Get).WithName("get_customer")
            .WithSummary("One customer with its tables, mappings and progress.")
            .WithExamples(RegistryExamples.CustomerPath).WithAnswer(RegistryExamples.Customer)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapPut("/{customer}", Put).WithName("put_customer")
            .WithSummary("Makes a customer, or sets which tables one has and where its feed is pushed to.")
            .WithDescription(
                "YAML or JSON with tables, and optionally tenant, retention and start: latest, earliest, a time, or "
                + "{ offsets: [ { table, partition, offset } ] }. The start counts for tables that are new to it; with latest, "
                + "nothing is missed that is posted after the answer. Changes of a table without a mapping wait in the log. push names "
                + "a url with a secret, or a topic, and the settings that it has in duplex.yaml; without push the feed is only polled. "
                + "A secret is never told; where one is kept, push may leave it out. A key of one tenant opens no addresses with "
                + "allow, and its topics begin with the tenant and a dot.")
            .Accepts<JsonElement>(PostedDocument.Json, PostedDocument.Yaml)
            .WithExamples(RegistryExamples.CustomerPath).WithRequest(RegistryExamples.CustomerBody)
            .WithAnswer(RegistryExamples.Customer)
            .ForOperators().Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status403Forbidden, StatusCodes.Status404NotFound,
                StatusCodes.Status409Conflict);
        group.MapDelete("/{customer}", Delete).WithName("delete_customer")
            .WithSummary("Removes a customer with its mappings and schemas; its feed stays readable until retention removes it.")
            .WithExamples(RegistryExamples.CustomerPath).WithAnswer(RegistryExamples.Removed)
            .ForOperators().Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/{customer}/pause", Pause).WithName("pause_customer")
            .WithSummary("Pauses a customer's leg; its feed stays readable. Survives restarts.")
            .WithExamples(RegistryExamples.CustomerPath).WithAnswer(RegistryExamples.Paused)
            .ForOperators().Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/{customer}/resume", Resume).WithName("resume_customer")
            .WithSummary("Resumes a paused or blocked customer; enables its push where that was disabled.")
            .WithExamples(RegistryExamples.CustomerPath).WithAnswer(RegistryExamples.Resumed)
            .ForOperators().Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<Page<CustomerDocument>>> List(
        SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        var status = await engine.StatusAsync(cancellationToken);
        return TypedResults.Ok(new Page<CustomerDocument>(
            [.. (await engine.Registry.ListAsync(cancellationToken)).Where(c => Caller.Of(context).Sees(c.Model.Tenant))
                .Select(c => RegistryDocuments.Of(c, status.Customers.FirstOrDefault(s => s.Name == c.Model.Name)))]));
    }

    private static async Task<Results<Ok<CustomerDocument>, Refusal>> Get(
        string customer, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        var status = await engine.StatusAsync(cancellationToken);
        return TypedResults.Ok(RegistryDocuments.Of(await engine.Registry.GetAsync(customer, cancellationToken),
            status.Customers.FirstOrDefault(s => s.Name == customer)));
    }

    private static async Task<Results<Ok<CustomerDocument>, Refusal>> Put(
        string customer, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        var caller = Caller.Of(context);
        var text = await PostedDocument.ReadAsync(context, cancellationToken);
        var (request, _) = CustomerRequest.Read(text, customer, engine.Parts.Model.Log.Kafka, keepsSecret: true);
        if (request?.Tenant is { } tenant && !caller.Sees(tenant))
        {
            return Refusal.Forbidden("auth.forbidden", "This API key belongs to another tenant.", "Leave out the tenant.");
        }

        if (caller.Tenant is { } own && request?.Push is { } push && PushEndpoints.Confine(own, push) is { } confined)
        {
            return confined;
        }

        if (engine.Customers.Find(customer) is { } known && !caller.Sees(known.Tenant))
        {
            return Refusal.Conflict("customer.tenant_fixed", $"The name {customer} is taken.", "Choose another name.");
        }

        return TypedResults.Ok(RegistryDocuments.Of(
            await engine.Registry.PutAsync(customer, text, caller.Tenant, cancellationToken), null));
    }

    private static async Task<Results<Ok<CommandDocument>, Refusal>> Delete(
        string customer, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        await engine.Registry.DeleteAsync(customer, cancellationToken);
        return TypedResults.Ok(new CommandDocument(customer, "removed"));
    }

    private static async Task<Results<Ok<CommandDocument>, Refusal>> Pause(
        string customer, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        await engine.Customers.PauseAsync(customer, cancellationToken);
        return TypedResults.Ok(new CommandDocument(customer, "paused"));
    }

    private static async Task<Results<Ok<CommandDocument>, Refusal>> Resume(
        string customer, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        await engine.Customers.ResumeAsync(customer, cancellationToken);
        return TypedResults.Ok(new CommandDocument(customer, "resumed"));
    }
}
