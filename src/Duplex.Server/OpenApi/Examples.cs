using System.Text.Json;
using Duplex.Client;
using Duplex.Server.Api;

namespace Duplex.Server.OpenApi;

/// <summary>The documents that the OpenAPI document shows: the sync of customers between a shop's database and its
/// billing.</summary>
internal static class Examples
{
    private static readonly DateTimeOffset At = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    public static IReadOnlyDictionary<string, string> ConnectionPath { get; } =
        Of(("tenant", "acme"), ("name", "shop"));

    public static IReadOnlyDictionary<string, string> SyncPath { get; } = Of(("tenant", "acme"), ("name", "customers"));

    public static IReadOnlyDictionary<string, string> RecordQuery { get; } =
        Of(("tenant", "acme"), ("name", "customers"), ("side", "a"), ("key", "42"));

    public static IReadOnlyDictionary<string, string> DeadLetterQuery { get; } =
        Of(("sync", "acme/customers"), ("limit", "20"));

    public static IReadOnlyDictionary<string, string> DeadLetterPath { get; } = Of(("id", "1"));

    public static IReadOnlyDictionary<string, string> ConflictPath { get; } = Of(("id", "1"));

    public static IReadOnlyDictionary<string, string> ConflictQuery { get; } =
        Of(("sync", "acme/customers"), ("waiting", "true"), ("limit", "20"));

    public static HealthDocument Health { get; } = new("alive");

    public static ReadyDocument Ready { get; } = new(true, []);

    public static ConnectionDocument Connection { get; } = new(
        "acme", "shop", "postgres", "running", "1:0/16B3748:3",
        new SourceDocument("streaming", 100_000, 100_000, 0, At, null), At, 100_412, null, null);

    public static Page<ConnectionDocument> Connections { get; } = new([Connection]);

    public static CheckDocument Check { get; } = new("acme", "shop", "postgres", false,
    [
        new FindingDocument("error", "postgres.wal_level", "/connections/shop",
            "wal_level is replica; capture needs logical.",
            "ALTER SYSTEM SET wal_level = logical; then restart PostgreSQL."),
    ]);

    public static SyncCheckDocument SyncCheck { get; } = new("acme", "customers", false,
    [
        new FindingDocument("error", "mapping.unknown_field", "/syncs/customers/mapping/0",
            "public.customers has no field nam.",
            "Did you mean name?"),
    ]);

    public static CommandDocument Resnapshot { get; } = new("acme/shop", "resnapshot_started");

    public static SyncDocument Sync { get; } = new(
        "acme", "customers", "shop:public.customers", "billing:customers", "two_way", "running", 100_000, 0,
        [
            new LegDocument("a", "running", 0, 0, 0, 0, 1, 100_412, 411, 100_000, 37, 1, null),
            new LegDocument("b", "running", 0, 0, 0, 0, 0, 100_448, 37, 100_000, 411, 0, null),
        ]);

    public static Page<SyncDocument> Syncs { get; } = new([Sync]);

    public static CommandDocument Paused { get; } = new("acme/customers", "paused");

    public static CommandDocument Resumed { get; } = new("acme/customers", "resumed");

    public static StatusDocument Status { get; } =
        new(true, [], StatusEndpoints.Version, At, null, [Connection], [Sync])
        {
            Customers = [new CustomerStateDocument("default", "customer-a",
                new CustomerProgressDocument("running", 0, 0, 1, 0, 1, 1, null))],
            Ingest = new IngestDocument(3, 1, 0, 0),
        };

    public static Page<PartitionDocument> Log { get; } =
        new([new PartitionDocument("acme.shop.public.customers", 0, 0, 25_103, 8_412_003, At)]);

    public static Page<ConnectorDocument> Connectors { get; } = new([new ConnectorDocument(
        "stripe", "Stripe's customers, products, prices and invoices.", ["customers"],
        [new SettingDocument("api_key", "text", true, true, null, "The secret API key.", "${secret:stripe}")])]);

    public static DeadLetterDocument DeadLetter { get; } = new(
        1, "acme/customers", "a", "42", 1, At,
        new ErrorDocument("sink.rejected", "Stripe refuses the e-mail address of customer 42.", "email",
            "Correct the address in public.customers; the record is then tried again.", "Invalid email (req_abc)",
                null),
        Json("""{"op":"u","after":{"id":42,"email":"ada@"},"source":{"connector":"postgres"},"ts_ms":1769860800000}"""));

    public static Page<DeadLetterDocument> DeadLetters { get; } = new([DeadLetter with { Change = null }]);

    public static ReplayRequest Replay { get; } = new([1]);

    public static ReplayDocument Replayed { get; } = new(1, 1);

    public static TimelineDocument TimelineLine { get; } = new(
        At, "written", "b", "42", "cus_PqR8", Json("""{"fields":["email"],"key":"dx1:abcd"}"""));

    public static Page<TimelineDocument> Timeline { get; } = new([TimelineLine]);

    public static RecordDocument Record { get; } = new(
        "acme/customers",
        new LinkDocument(17, "42", "cus_PqR8", "live"),
        new RecordStateDocument("42", Json("""{"id":42,"name":"Ada","email":"ada@example.org"}""")),
        new RecordStateDocument("cus_PqR8", Json("""{"id":"cus_PqR8","name":"Ada","email":"ada@example.org"}""")),
        null, null, true,
        [new FieldDocument("email", Json("\"ada@example.org\""), Json("\"ada@example.org\""), true)],
        null, null, [TimelineLine]);

    public static ConflictDocument Conflict { get; } = new(
        1, "acme/customers", "42", "cus_PqR8", "name", Json("\"Ada L.\""), Json("\"A. Lovelace\""), Json("\"Ada\""),
        null, "manual", At);

    public static Page<ConflictDocument> Conflicts { get; } = new([Conflict]);

    public static ResolveRequest Resolve { get; } = new("a");

    public static PlanDocument Plan { get; } = new(
        "acme/customers", true, new SidesDocument(100_000, 99_000), new SidesDocument(12, 0), 0, 98_500, 98_100,
        new SidesDocument(500, 1_488), new SidesDocument(100, 300), new SidesDocument(0, 0), 0, 0, 0,
        [new PlanSampleDocument("create_b", "42", null, ["name", "email"], null)], []);

    public static IReadOnlyDictionary<string, string> FeedPath { get; } = Of(("customer", "customer-a"));

    public static IReadOnlyDictionary<string, string> FeedConsumerPath { get; } =
        Of(("customer", "customer-a"), ("consumer", "warehouse"));

    public static IReadOnlyDictionary<string, string> FeedQuery { get; } =
        Of(("customer", "customer-a"), ("offset", "0"), ("limit", "50"), ("table", "users"), ("wait", "0"));

    public static Page<FeedDocument> Feeds { get; } =
        new([new FeedDocument("customer-a", 1, 1, 61, "2026-01-31T12:00:00.000000Z")]);

    public static FeedPage FeedPage { get; } = new("customer-a",
    [
        new FeedRecordDocument
        {
            Offset = 1,
            MessageId = new Guid("6f0b6f4e-6c0f-8a55-9d7e-0d9a1f0c2b11"),
            CustomerId = "customer-a",
            Table = "users",
            Operation = "INSERT",
            Key = Json("""["42"]"""),
            Version = "1",
            Timestamp = "2026-01-31T11:59:59.120000Z",
            EventId = "evt-42",
            TransformedData = Json("""{"userId":"42","fullName":"Ada Lovelace"}"""),
            Status = "pending",
            Attempts = 0,
            CreatedAt = "2026-01-31T12:00:00.000000Z",
            UpdatedAt = "2026-01-31T12:00:00.000000Z",
        },
    ], 1, 1, 1);

    public static FeedCommitRequest FeedCommit { get; } = new(1);

    public static FeedConsumerDocument FeedConsumer { get; } = new("customer-a", "warehouse", 1, 0);

    public static Page<FeedConsumerDocument> FeedConsumers { get; } = new([FeedConsumer]);

    private static JsonElement Json(string text) => JsonElement.Parse(text);

    private static Dictionary<string, string> Of(params (string Name, string Value)[] values) =>
        values.ToDictionary(static v => v.Name, static v => v.Value, StringComparer.Ordinal);
}
