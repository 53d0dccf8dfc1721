using System.Text.Json;
using Duplex.Client;

namespace Duplex.Server.OpenApi;

/// <summary>The documents of customers, mappings and schemas that the OpenAPI document shows.</summary>
internal static class RegistryExamples
{
    private static readonly DateTimeOffset At = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    private static readonly PlaceDocument[] Places =
        [new("users", 0, 1_204), new("users", 1, 1_177), new("users", 2, 1_250)];

    public static IReadOnlyDictionary<string, string> CustomerPath { get; } = Of(("customer", "customer-c"));

    public static IReadOnlyDictionary<string, string> TablePath { get; } = Of(("customer", "customer-c"), ("table", "users"));

    public static IReadOnlyDictionary<string, string> VersionPath { get; } =
        Of(("customer", "customer-c"), ("table", "users"), ("version", "1"));

    public static IReadOnlyDictionary<string, string> PutMappingPath { get; } =
        Of(("customer", "customer-c"), ("table", "users"), ("activate", "true"));

    public static IReadOnlyDictionary<string, string> PutSchemaPath { get; } =
        Of(("customer", "customer-c"), ("table", "users"), ("compatibility", "backward"));

    public static JsonElement CustomerBody { get; } =
        Json("""
            {"tables":["users"],"start":"earliest","retention":{"age":"7d","bytes":"8GB"},
            "push":{"url":"https://hooks.example.com/duplex","secret":"whsec_YSBzZWNyZXQgZm9yIGRvY3VtZW50YXRpb24gb25seQ==","rate":100}}
            """);

    public static PushSecretRequest PushSecretBody { get; } =
        new("whsec_YW5vdGhlciBvbmUgZm9yIGRvY3VtZW50YXRpb24gb25seQ==", "24h");

    public static PushResendRequest ResendBody { get; } = new(1);

    public static CommandDocument Rotated { get; } = new("customer-c", "rotated");

    public static CommandDocument Resent { get; } = new("customer-c", "resent");

    public static JsonElement MappingBody { get; } = Json(
        """{"rules":[{"a":"id","b":"userId"},{"a":"email","b":"contact.email"},{"b":"kind","via":{"constant":"user"}}],"operations":["insert","update"]}""");

    public static JsonElement SchemaBody { get; } = Json(
        """
        {"type":"object","properties":{"table":{"type":"string"},"event_type":{"type":"string"},
        "primary_key":{"type":"object","properties":{"id":{}},"required":["id"]},"userId":{}}}
        """);

    public static CustomerDocument Customer { get; } = new("default", "customer-c", "api", At,
        [new CustomerTableDocument("users", "active", new ActiveDocument(1, "api"), new ActiveDocument(1, "api"), Places)],
        604_800, 8_589_934_592, new CustomerProgressDocument("running", 0, 0, 1_204, 17, 1, 1_204, null)
        {
            Partitions = new CustomerPartitionsDocument(["users/0", "users/1", "users/2"], 3),
            Push = new PushDocument("running", 1_204, 0, 1_204, 0, 0, null),
        })
    {
        Push = new CustomerPushDocument("https://hooks.example.com/duplex", null, null, 2, At.AddHours(24), 16, 100, 20,
            [5, 300, 1_800], 259_200, []),
    };

    public static Page<CustomerDocument> Customers { get; } = new([Customer]);

    public static Page<CustomerTableDocument> Tables { get; } = new(Customer.Tables);

    public static CommandDocument Removed { get; } = new("customer-c", "removed");

    public static CommandDocument Paused { get; } = new("customer-c", "paused");

    public static CommandDocument Resumed { get; } = new("customer-c", "resumed");

    public static VersionDocument Mapping { get; } = new(1, "api", At, "ops", true, Places, "rules: [ { a: id, b: userId } ]");

    public static VersionDocument Schema { get; } = new(1, "api", At, "ops", true, [], """{"type":"object"}""");

    public static Page<VersionDocument> Versions { get; } = new([Mapping with { Document = null }]);

    public static PutDocument PutMapping { get; } = new(1, true, Places, []);

    public static PutDocument PutSchema { get; } = new(2, true, Places, []);

    public static PreviewRequest PreviewBody { get; } = new(Json("\"rules: [ { a: id, b: userId } ]\""), null,
    [
        Json("""{"table":"users","event_type":"INSERT","primary_key":{"id":1},"after":{"id":1,"name":"Ada","email":"ada@example.org"}}"""),
    ]);

    public static Page<TrialDocument> Previewed { get; } = new([new TrialDocument(Json("""{"userId":1}"""), false, null)]);

    public static MappingPlanRequest PlanBody { get; } = new(1, 1_000);

    public static MappingPlanDocument Planned { get; } = new(1_000, 997, 2, 1, 0, 0, 0,
    [
        new MappingDifferenceDocument("changed", "1", Places[0], new TrialDocument(Json("""{"userId":1}"""), false, null),
            new TrialDocument(Json("""{"userId":"1"}"""), false, null)),
    ]);

    public static VersionRequest ActivateBody { get; } = new(1);

    public static Page<SchemaDocument> Schemas { get; } = new(
    [
        new SchemaDocument("internal", null, "users", new ActiveDocument(0, "file")),
        new SchemaDocument("external", "customer-c", "users", new ActiveDocument(1, "api")),
    ]);

    public static WhereUsedDocument Uses { get; } = new("internal", "users",
        [new SchemaUseDocument("customer-c", new ActiveDocument(1, "api"), new ActiveDocument(1, "api"))], ["orders"]);

    public static FeedReplayRequest ReplayBody { get; } = new("users", From: At, To: At.AddHours(6));

    public static FeedReplayDocument Replay { get; } = new("k3x7q2ab", "running", At, 12_000, 4_096, 4_090, 0, null);

    private static JsonElement Json(string text) => JsonElement.Parse(text);

    private static Dictionary<string, string> Of(params (string Name, string Value)[] values) =>
        values.ToDictionary(static v => v.Name, static v => v.Value, StringComparer.Ordinal);
}
