using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping.Output;
using Duplex.Sdk;

namespace Duplex.Feeds.Tests;

/// <summary>The two customers of <c>examples/multi-customer</c>: what their mappings and schemas, as data alone, make of changes.</summary>
public sealed class ExampleTests
{
    private static readonly EngineModel Model = Load();

    [Theory]
    [InlineData("customer-a", "users", """{"id":1,"name":"Ada","email":"a@x.org"}""",
        """{"id":1,"fullName":"Ada","email":"a@x.org","status":"active","consumer":"customer_A"}""")]
    [InlineData("customer-a", "users", """{"id":1,"email":"a@x.org"}""",
        """{"id":1,"fullName":"","email":"a@x.org","status":"active","consumer":"customer_A"}""")]
    [InlineData("customer-a", "tickets", """{"ticket_id":"T","title":"x","status":"Open","assignee_id":1,"priority":"High"}""",
        """{"ticketId":"T","title":"x","status":"Open","assignee":1,"consumer":"customer_A"}""")]
    [InlineData("customer-a", "tickets", """{"ticket_id":"T","status":"Open"}""",
        """{"ticketId":"T","title":null,"status":"Open","assignee":null,"consumer":"customer_A"}""")]
    [InlineData("customer-b", "users", """{"id":1,"name":"Ada","email":"a@x.org"}""",
        """{"type":"user","userId":1,"fullName":"Ada","email":"a@x.org","isActive":true,"consumer":"customer_B"}""")]
    [InlineData("customer-b", "users", """{"id":1,"name":"Ada","email":"a@x.org","state":"blocked"}""",
        """{"type":"user","userId":1,"fullName":"Ada","email":"a@x.org","isActive":false,"consumer":"customer_B"}""")]
    [InlineData("customer-b", "tickets", """{"ticket_id":"T","title":"x","status":"Open"}""",
        """{"type":"ticket","id":"T","title":"x","status":"Open","priorityLevel":"Medium","assigneeId":null,"consumer":"customer_B"}""")]
    [InlineData("customer-b", "orders", """{"user_id":1,"amount":"99.99","currency":"EUR","status":"paid"}""",
        """{"type":"order","orderId":"KEY","userId":1,"amount":99.99,"currency":"EUR","status":"paid","placedAt":null,"consumer":"customer_B"}""")]
    [InlineData("customer-b", "orders", """{"order_id":"ROW"}""",
        """{"type":"order","orderId":"ROW","userId":null,"amount":0,"currency":"USD","status":"pending","placedAt":null,"consumer":"customer_B"}""", "{}")]
    public void A_change_becomes_the_customers_record(
        string customer, string table, string row, string output, string key = """{"id":1,"ticket_id":"T","order_id":"KEY"}""")
    {
        var (record, refusal) = Transform(customer, table, row, key);
        refusal.ShouldBeNull();
        DateTimeOffset.Parse(record["processedAt"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture)
            .Offset.ShouldBe(TimeSpan.Zero);
        record.Remove("processedAt");
        JsonNode.DeepEquals(record, JsonNode.Parse(output)).ShouldBeTrue(record.ToJsonString());
    }

    [Theory]
    [InlineData("customer-b", "orders", """{"amount":1,"currency":"usd"}""", "'usd' does not match '^[A-Z]{3}$'")]
    [InlineData("customer-b", "orders", """{"amount":1,"status":"shipped"}""", "'shipped' is not one of ['pending', 'paid', 'cancelled', 'refunded']")]
    [InlineData("customer-b", "orders", """{"amount":-1}""", "-1 is less than the minimum of 0")]
    [InlineData("customer-a", "users", """{"id":1,"name":"Ada"}""", "'email' is a required property")]
    [InlineData("customer-a", "users", """{"id":"1","name":"Ada","email":"a@x.org"}""", "'1' is not of type 'integer'")]
    public void What_the_customer_does_not_take_is_refused_with_the_reason(string customer, string table, string row, string reason) =>
        Transform(customer, table, row, """{"id":1,"ticket_id":"T","order_id":"KEY"}""").Refusal.ShouldBe(reason);

    [Fact]
    public void Orders_go_to_customer_B_only() => Model.Customers["customer-a"].Tables.Keys.ShouldBe(["users", "tickets"], ignoreOrder: true);

    private static (JsonObject Record, string? Refusal) Transform(string customer, string table, string row, string key)
    {
        var model = Model.Customers[customer].Tables[table];
        var change = new Change
        {
            Operation = ChangeOperation.Create,
            Stream = table,
            Key = RecordKey.Of("1"),
            KeyFields = new Sdk.Record(Encoding.UTF8.GetBytes(key)),
            After = new Sdk.Record(Encoding.UTF8.GetBytes(row)),
        };
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        model.Mapping.Mapping.Write(new OutputInput(change, customer, TimeProvider.System), writer).ShouldBeNull();
        writer.Flush();
        return (JsonNode.Parse(buffer.WrittenSpan)!.AsObject(), model.Schema!.Refuse(JsonElement.Parse(buffer.WrittenSpan)));
    }

    private static EngineModel Load()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Duplex.slnx")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        var result = ConfigLoader.LoadFile(
            Path.Combine(folder, "examples/multi-customer/duplex.yaml"), new ConfigSources { Connectors = [] });
        result.Findings.ShouldBeEmpty();
        return result.Model!;
    }
}
