using System.Text.Json;
using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Registry;
using Duplex.Server.Access;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Duplex.Server.Api;

/// <summary>Schemas: of what is taken, and of what each customer is given.</summary>
internal static class SchemaEndpoints
{
    private const string PutText =
        "The version is in use when the answer is there. It must accept all that the active version accepts, or it is refused with each "
        + "reason; compatibility=none takes it all the same.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/schemas").WithTags("Schemas");
        group.MapGet("/", List).WithName("list_schemas")
            .WithSummary("Every schema with the version that is in use.").WithAnswer(RegistryExamples.Schemas);
        MapInternal(group.MapGroup("/internal/{table}"));
        MapExternal(group.MapGroup("/external/{customer}/{table}"));
    }

    private static void MapInternal(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", GetInternal).WithName("get_internal_schema")
            .WithSummary("One version of the schema of what is taken for a table; without version, the active one.")
            .WithExamples(RegistryExamples.VersionPath).WithAnswer(RegistryExamples.Schema)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapPut("/", PutInternal).WithName("put_internal_schema")
            .WithSummary("Sets the schema of what is taken for a table. A table that had none is taken from then on.")
            .WithDescription(PutText)
            .Accepts<JsonElement>(PostedDocument.Json)
            .WithExamples(RegistryExamples.PutSchemaPath).WithRequest(RegistryExamples.SchemaBody)
            .WithAnswer(RegistryExamples.PutSchema).ForOperators()
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status409Conflict);
        routes.MapGet("/versions", InternalVersions).WithName("list_internal_schema_versions")
            .WithSummary("Every version of the schema of what is taken for a table, without documents.")
            .WithExamples(RegistryExamples.TablePath).WithAnswer(RegistryExamples.Versions)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapGet("/where-used", InternalUses).WithName("where_internal_schema_is_used")
            .WithSummary("The customers whose records are made of what the schema describes, and the schemas that refer to it.")
            .WithExamples(RegistryExamples.TablePath).WithAnswer(RegistryExamples.Uses);
    }

    private static void MapExternal(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", GetExternal).WithName("get_external_schema")
            .WithSummary("One version of the schema of what a customer is given; without version, the active one.")
            .WithExamples(RegistryExamples.VersionPath).WithAnswer(RegistryExamples.Schema)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapPut("/", PutExternal).WithName("put_external_schema")
            .WithSummary("Sets the schema of what a customer is given of a table, from the positions on that the answer names.")
            .WithDescription(PutText)
            .Accepts<JsonElement>(PostedDocument.Json)
            .WithExamples(RegistryExamples.PutSchemaPath).WithRequest(RegistryExamples.SchemaBody)
            .WithAnswer(RegistryExamples.PutSchema).ForOperators()
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
        routes.MapGet("/versions", ExternalVersions).WithName("list_external_schema_versions")
            .WithSummary("Every version of the schema of what a customer is given, without documents.")
            .WithExamples(RegistryExamples.TablePath).WithAnswer(RegistryExamples.Versions)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapGet("/where-used", ExternalUses).WithName("where_external_schema_is_used")
            .WithSummary("The mapping whose records the schema checks, and the customer's schemas that refer to it.")
            .WithExamples(RegistryExamples.TablePath).WithAnswer(RegistryExamples.Uses)
            .Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<Page<SchemaDocument>>> List(
        SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        var schemas = (await engine.Registry.InternalSchemas.InternalTablesAsync(cancellationToken)).Select(static t =>
            new SchemaDocument("internal", null, t.Key, RegistryDocuments.Active(true, t.Value)!)).ToList();
        foreach (var customer in await engine.Registry.ListAsync(cancellationToken))
        {
            if (Caller.Of(context).Sees(customer.Model.Tenant))
            {
                schemas.AddRange(customer.Tables.Where(static t => t.HasSchema).Select(t => new SchemaDocument(
                    "external", customer.Model.Name, t.Table, RegistryDocuments.Active(true, t.Schema)!)));
            }
        }

        return TypedResults.Ok(new Page<SchemaDocument>(schemas));
    }

    private static async Task<Results<Ok<VersionDocument>, Refusal>> GetInternal(
        string table, int? version, SyncEngine engine, CancellationToken cancellationToken) =>
        Find(await engine.Registry.InternalSchemas.InternalSchemasAsync(table, cancellationToken), version, table);

    private static async Task<Results<Ok<PutDocument>, Refusal>> PutInternal(
        string table, string? compatibility, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        var refusal = PostedDocument.Shared(context) ?? WrongCompatibility(compatibility);
        return refusal is not null ? refusal : TypedResults.Ok(RegistryDocuments.Of(
            await engine.Registry.InternalSchemas.PutInternalSchemaAsync(table, await PostedDocument.ReadAsync(context, cancellationToken),
                Note(context, compatibility), cancellationToken)));
    }

    private static async Task<Results<Ok<Page<VersionDocument>>, Refusal>> InternalVersions(
        string table, SyncEngine engine, CancellationToken cancellationToken) =>
        Page(await engine.Registry.InternalSchemas.InternalSchemasAsync(table, cancellationToken));

    private static async Task<Ok<WhereUsedDocument>> InternalUses(
        string table, SyncEngine engine, HttpContext context, CancellationToken cancellationToken) =>
        TypedResults.Ok(new WhereUsedDocument("internal", table,
            [.. (await engine.Registry.ListAsync(cancellationToken)).Where(c => Caller.Of(context).Sees(c.Model.Tenant))
                .SelectMany(c => Uses(c, table))], engine.Registry.InternalSchemas.Referrers(table)));

    private static async Task<Results<Ok<VersionDocument>, Refusal>> GetExternal(
        string customer, string table, int? version, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        return Find(await engine.Registry.Schemas.SchemasAsync(customer, table, cancellationToken), version, table);
    }

    private static async Task<Results<Ok<PutDocument>, Refusal>> PutExternal(
        string customer, string table, string? compatibility, SyncEngine engine, HttpContext context,
        CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        return WrongCompatibility(compatibility) is { } refusal ? refusal : TypedResults.Ok(RegistryDocuments.Of(
            await engine.Registry.Schemas.PutSchemaAsync(customer, table, await PostedDocument.ReadAsync(context, cancellationToken),
                Note(context, compatibility), cancellationToken)));
    }

    private static async Task<Results<Ok<Page<VersionDocument>>, Refusal>> ExternalVersions(
        string customer, string table, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        return Page(await engine.Registry.Schemas.SchemasAsync(customer, table, cancellationToken));
    }

    private static async Task<Results<Ok<WhereUsedDocument>, Refusal>> ExternalUses(
        string customer, string table, SyncEngine engine, HttpContext context, CancellationToken cancellationToken)
    {
        PostedDocument.Require(engine, context, customer);
        return TypedResults.Ok(new WhereUsedDocument("external", table,
            [.. Uses(await engine.Registry.GetAsync(customer, cancellationToken), table)],
            await engine.Registry.Schemas.ReferrersAsync(customer, table, cancellationToken)));
    }

    private static IEnumerable<SchemaUseDocument> Uses(CustomerView customer, string table) =>
        customer.Tables.Where(t => t.Table == table).Select(t => new SchemaUseDocument(customer.Model.Name,
            RegistryDocuments.Active(t.HasMapping, t.Mapping), RegistryDocuments.Active(t.HasSchema, t.Schema)));

    private static Results<Ok<VersionDocument>, Refusal> Find(
        IReadOnlyList<VersionView> versions, int? version, string table) =>
        versions.FirstOrDefault(v => version is null ? v.Active : v.Version == version) is { } found
            ? TypedResults.Ok(RegistryDocuments.Of(found, withDocument: true))
            : Refusal.NotFound("request.unknown_version", "version",
                version is null ? $"There is no active schema of {table}." : $"There is no version {version} of this schema of {table}.",
                "GET …/versions lists them.");

    private static Results<Ok<Page<VersionDocument>>, Refusal> Page(IReadOnlyList<VersionView> versions) =>
        TypedResults.Ok(new Page<VersionDocument>([.. versions.Select(static v => RegistryDocuments.Of(v, withDocument: false))]));

    private static SchemaNote Note(HttpContext context, string? compatibility) =>
        new(Caller.Of(context).Name, compatibility != "none");

    private static Refusal? WrongCompatibility(string? compatibility) => compatibility is null or "backward" or "none"
        ? null
        : Refusal.BadRequest("request.bad_value", "compatibility", $"compatibility is {compatibility}.",
            "Give backward or none.");
}
