using System.Text.Json.Nodes;
using Duplex.Engine.Config;
using Microsoft.OpenApi;

namespace Duplex.Server.OpenApi;

/// <summary>Describes how changes are posted, which the data plane takes: its routes are not seen by the document's
/// generator.</summary>
internal static class IngestPaths
{
    private const string Json = "application/json";
    private const string Problem = "application/problem+json";

    private const string User =
        """{"event_type":"INSERT","table":"users","timestamp":"2025-07-19T10:00:00Z","primary_key":{"id":1}"""
        + ""","after":{"id":1,"name":"Ash Ketchup","email":"ash.ketchup@pokemon.com"}}""";

    private const string Change =
        """{"event_type":"UPDATE","table":"users","primary_key":{"id":1},"before":{"id":1}"""
        + ""","after":{"id":1,"name":"Ash"},"event_id":"evt-2","version":2,"tenant":"default"}""";

    private const string CloudEvent =
        $$$"""{"specversion":"1.0","type":"row.changed","source":"/shop","id":"1","data":{{{User}}}}""";

    private const string Published =
        """{"status":"published","topic":"users","message":"Data sent to Kafka successfully"}""";

    private const string Refused =
        """{"type":"urn:duplex:problem:ingest.missing_table","title":"The event is not taken","status":400"""
        + ""","detail":"Missing table field","code":"ingest.missing_table","field":"table","fix":"Correct the event; nothing of it is stored."}""";

    private const string Dealt =
        """{"results":[{"index":0,"status":"published","topic":"users"},"""
        + """{"index":1,"status":"rejected","detail":"Missing table field","code":"ingest.missing_table"}]"""
        + ""","published":1,"rejected":1}""";

    public static void Add(OpenApiDocument document, ServerModel server)
    {
        Add(document, server, "/sync", HttpMethod.Post, One("post_change",
            "Takes one change, as JSON whatever its type says, or one CloudEvent. 200 only when it is on disk; a repeat "
            + "under the same event id or Idempotency-Key, or without them of the same version of the record, is answered alike "
            + "and stored once. Customers are given no older version of a record after a newer one.",
            (Json, User), ("application/cloudevents+json", CloudEvent)));
        Add(document, server, "/events", HttpMethod.Post, One("post_cloud_event",
            "Takes a CloudEvent whose data is a change: structured, binary or a batch. The same door as /sync.",
            ("application/cloudevents+json", CloudEvent), (Json, Change)));
        Add(document, server, "/sync/batch", HttpMethod.Post, Several());
        Add(document, server, "/health", HttpMethod.Get, new OpenApiOperation
        {
            OperationId = "sync_health",
            Summary = "That changes can be posted.",
            Responses = new OpenApiResponses
            {
                ["200"] = Answer("The process serves requests.", Json, """{"status":"healthy","service":"sync-service"}"""),
            },
        });
    }

    private static void Add(
        OpenApiDocument document, ServerModel server, string path, HttpMethod method, OpenApiOperation operation)
    {
        document.Paths[path] = new OpenApiPathItem
        {
            Servers = [new OpenApiServer { Url = $"http://{server.DataPlane}", Description = "The data plane." }],
            Operations = new Dictionary<HttpMethod, OpenApiOperation> { [method] = operation },
        };
    }

    private static OpenApiOperation One(string id, string summary, params (string Type, string Example)[] bodies)
    {
        var operation = Operation(id, summary, bodies);
        operation.Responses!["200"] = Answer("The change is on disk.", Json, Published);
        return operation;
    }

    private static OpenApiOperation Several()
    {
        var operation = Operation("post_changes",
            "Takes up to 10,000 changes, as a JSON array, one a line (application/x-ndjson), or as a batch of CloudEvents. "
            + "Each is stored or refused for itself. Another status than 200 says why reading stopped; the results hold what "
            + "was dealt with until then.",
            (Json, $"[{User},{{}}]"), ("application/cloudevents-batch+json", $"[{CloudEvent}]"));
        operation.Responses!["200"] = Answer("Every change was dealt with.", Json, Dealt);
        return operation;
    }

    private static OpenApiOperation Operation(
        string id, string summary, params (string Type, string Example)[] bodies) => new()
    {
        OperationId = id,
        Summary = summary,
        Parameters =
        [
            new OpenApiParameter
            {
                Name = "Idempotency-Key",
                In = ParameterLocation.Header,
                Description = "Names the request, so that a repeat is stored once. With another body it is refused.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                Example = JsonValue.Create("order-17-paid"),
            },
        ],
        RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = bodies.ToDictionary(static b => b.Type, static b => Media(b.Example)),
        },
        Responses = new OpenApiResponses
        {
            ["400"] = Answer("It is not taken, and posting it again changes nothing.", Problem, Refused),
            ["401"] = new OpenApiResponse { Description = "API keys are configured and the request carries none." },
            ["403"] = new OpenApiResponse { Description = "The API key may not post for this tenant." },
            ["413"] = new OpenApiResponse { Description = "It is too large." },
            ["415"] = new OpenApiResponse { Description = "The body is compressed." },
            ["422"] = new OpenApiResponse { Description = "The Idempotency-Key named another body before." },
            ["429"] = new OpenApiResponse { Description = "Too much is on its way to the disk; see Retry-After." },
            ["500"] = new OpenApiResponse { Description = "The change log failed." },
            ["503"] = new OpenApiResponse { Description = "The change log has no room; see Retry-After." },
        },
    };

    private static OpenApiResponse Answer(string description, string type, string example) => new()
    {
        Description = description,
        Content = new Dictionary<string, OpenApiMediaType> { [type] = Media(example) },
    };

    private static OpenApiMediaType Media(string example) => new()
    {
        Schema = new OpenApiSchema
        {
            Type = example[0] == '[' ? JsonSchemaType.Array : JsonSchemaType.Object,
            Items = example[0] == '[' ? new OpenApiSchema { Type = JsonSchemaType.Object } : null,
        },
        Example = JsonNode.Parse(example),
    };
}
