using System.Text.Json;
using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Registry;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>Mappings of customers: put, try, plan, activate.</summary>
internal static class MappingEndpoints
{
    private const int EventsMax = 1_000;
    private const int ChangesMax = 10_000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/customers/{customer}/mappings").WithTags("Mappings");
        group.MapGet("/", List).WithName("list_mappings")
            .WithSummary("The customer's tables, each with the version of its mapping and schema that is in use.")
            .WithExamples(RegistryExamples.CustomerPath).WithAnswer(RegistryExamples.Tables)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapGet("/{table}", Get).WithName("get_mapping")
            .WithSummary("One version of a mapping with its document; without version, the active one.")
            .WithExamples(RegistryExamples.VersionPath).WithAnswer(RegistryExamples.Mapping)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapPut("/{table}", Put).WithName("put_mapping")
            .WithSummary("Stores a mapping as a new version. It is used only once it is activated, or with activate=true.")
            .Accepts<JsonElement>(PostedDocument.Json, PostedDocument.Yaml)
            .WithExamples(RegistryExamples.PutMappingPath).WithRequest(RegistryExamples.MappingBody)
            .WithAnswer(RegistryExamples.PutMapping)
            .ForOperators().Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
        group.MapGet("/{table}/versions", Versions).WithName("list_mapping_versions")
            .WithSummary("Every version of a mapping, without documents.")
            .WithExamples(RegistryExamples.TablePath).WithAnswer(RegistryExamples.Versions)
            .Refuses(StatusCodes.Status404NotFound);
        group.MapPost("/{table}/preview", Preview).WithName("preview_mapping")
            .WithSummary("What a document or a version makes of posted events, with the checks of both ends. Changes nothing.")
            .WithExamples(RegistryExamples.TablePath).WithRequest(RegistryExamples.PreviewBody)
            .WithAnswer(RegistryExamples.Previewed)
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
        group.MapPost("/{table}/plan", Plan).WithName("plan_mapping")
            .WithSummary("How a version differs from the active mapping over the last changes of the log. Changes nothing.")
            .WithExamples(RegistryExamples.TablePath).WithRequest(RegistryExamples.PlanBody)
            .WithAnswer(RegistryExamples.Planned)
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        group.MapPost("/{table}/activate", Activate).WithName("activate_mapping")
            .WithSummary("Takes a version into use, from the positions on that the answer names.")
            .WithExamples(RegistryExamples.TablePath).WithRequest(RegistryExamples.ActivateBody)
            .WithAnswer(RegistryExamples.PutMapping)
            .ForOperators().Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Ok<Page<CustomerTableDocument>>, Refusal>> List(
        string customer, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        var view = await engine.Registry.GetAsync(customer, cancellationToken);
        return TypedResults.Ok(new Page<CustomerTableDocument>([.. view.Tables.Select(RegistryDocuments.Of)]));
    }

    private static async Task<Results<Ok<VersionDocument>, Refusal>> Get(
        string customer, string table, int? version, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        var versions = await engine.Registry.Mappings.MappingsAsync(customer, table, cancellationToken);
        return versions.FirstOrDefault(v => version is null ? v.Active : v.Version == version) is { } found
            ? TypedResults.Ok(RegistryDocuments.Of(found, withDocument: true))
            : Refusal.NotFound("request.unknown_version", "version",
                version is null ? $"{customer} has no active mapping of {table}."
                    : $"{customer} has no version {version} of its mapping of {table}.",
                $"GET /v1/customers/{customer}/mappings/{table}/versions lists them.");
    }

    private static async Task<Results<Ok<PutDocument>, Refusal>> Put(
        string customer, string table, bool? activate, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        var text = await PostedDocument.ReadAsync(context, cancellationToken);
        return TypedResults.Ok(RegistryDocuments.Of(await engine.Registry.Mappings.PutMappingAsync(
            customer, table, text, new DocumentNote(Caller.Of(context).Name, activate ?? false), cancellationToken)));
    }

    private static async Task<Results<Ok<Page<VersionDocument>>, Refusal>> Versions(
        string customer, string table, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        var versions = await engine.Registry.Mappings.MappingsAsync(customer, table, cancellationToken);
        return TypedResults.Ok(new Page<VersionDocument>(
            [.. versions.Select(static v => RegistryDocuments.Of(v, withDocument: false))]));
    }

    private static async Task<Results<Ok<Page<TrialDocument>>, Refusal>> Preview(
        string customer, string table, PreviewRequest request, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        if (request.Events is not { Count: > 0 and <= EventsMax } events)
        {
            return Refusal.BadRequest("request.bad_value", "events", $"events must be a list of 1 to {EventsMax} posted events.",
                "Send events as they are posted to /sync.");
        }

        var document = request.Document switch
        {
            null or { ValueKind: JsonValueKind.Null } => null,
            { ValueKind: JsonValueKind.String } text => text.GetString(),
            { } given => given.GetRawText(),
        };
        var outcomes = await engine.Registry.Trials.PreviewAsync(
            customer, table, new MappingSource(document, request.Version), events, cancellationToken);
        return TypedResults.Ok(new Page<TrialDocument>([.. outcomes.Select(RegistryDocuments.Of)]));
    }

    private static async Task<Results<Ok<MappingPlanDocument>, Refusal>> Plan(
        string customer, string table, MappingPlanRequest request, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        var version = PostedDocument.RequireVersion(request.Version);
        if (request.Changes is < 1 or > ChangesMax)
        {
            return Refusal.BadRequest("request.bad_value", "changes", $"changes is {request.Changes}.",
                $"Give a whole number from 1 to {ChangesMax}.");
        }

        return TypedResults.Ok(RegistryDocuments.Of(await engine.Registry.Trials.PlanAsync(
            customer, table, version, request.Changes ?? 1_000, cancellationToken)));
    }

    private static async Task<Results<Ok<PutDocument>, Refusal>> Activate(
        string customer, string table, VersionRequest request, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        return TypedResults.Ok(RegistryDocuments.Of(await engine.Registry.Mappings.ActivateMappingAsync(
            customer, table, PostedDocument.RequireVersion(request.Version), cancellationToken)));
    }
}
