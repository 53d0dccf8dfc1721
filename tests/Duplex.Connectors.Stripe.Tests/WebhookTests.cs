using System.Text;
using Duplex.Connectors.Stripe.Webhooks;

namespace Duplex.Connectors.Stripe.Tests;

public sealed class WebhookTests
{
    private const long Now = 1_700_000_000;

    private readonly SetClock _clock = new(Now);

    [Fact]
    public async Task An_update_tells_both_images_the_origin_and_the_time()
    {
        var change = (await ReceiveAsync(Event("customer.updated",
            """{"id":"cus_1","object":"customer","name":"Bo","balance":12345678901234567890,"metadata":{}}""",
            previous: """{"name":"Ann","metadata":{"plan":null}}"""))).ShouldNotBeNull();

        change.Operation.ShouldBe(ChangeOperation.Update);
        change.Stream.ShouldBe("customers");
        change.Key.ShouldBe(RecordKey.Of("cus_1"));
        change.Before.ShouldNotBeNull().ToString().ShouldBe("""{"name":"Ann","metadata":{"plan":null}}""");
        change.After.ShouldNotBeNull().Root.GetProperty("balance").GetRawText().ShouldBe("12345678901234567890");
        change.SourceMicros.ShouldBe((Now - 3) * 1_000_000);
        change.Origin.ShouldBe("dx1:aaaaaaaa:x");
        change.Id.ShouldBe("evt_1");
    }

    [Theory]
    [InlineData("customer.created", "customer", "customers", ChangeOperation.Create)]
    [InlineData("customer.deleted", "customer", "customers", ChangeOperation.Delete)]
    [InlineData("product.updated", "product", "products", ChangeOperation.Update)]
    [InlineData("price.created", "price", "prices", ChangeOperation.Create)]
    [InlineData("invoice.finalized", "invoice", "invoices", ChangeOperation.Update)]
    [InlineData("invoice.some_future_type", "invoice", "invoices", ChangeOperation.Update)]
    [InlineData("invoice.deleted", "invoice", "invoices", ChangeOperation.Delete)]
    public async Task A_type_is_an_operation_on_a_stream(string type, string item, string stream,
        ChangeOperation operation)
    {
        var change = (await ReceiveAsync(Event(type, $$"""{"id":"x_1","object":"{{item}}"}"""))).ShouldNotBeNull();
        change.Stream.ShouldBe(stream);
        change.Operation.ShouldBe(operation);
        (change.After is null).ShouldBe(operation == ChangeOperation.Delete);
    }

    [Theory]
    [InlineData("customer.subscription.created", """{"id":"sub_1","object":"subscription"}""")]
    [InlineData("customer.discount.created", """{"object":"discount"}""")]
    [InlineData("invoice.upcoming", """{"object":"invoice","status":"draft"}""")]
    [InlineData("charge.succeeded", """{"id":"ch_1","object":"charge"}""")]
    public async Task What_no_stream_carries_is_accepted_and_changes_nothing(string type, string item) =>
        (await ReceiveAsync(Event(type, item))).ShouldBeNull();

    [Theory]
    [InlineData("null")]
    [InlineData("\"req_old\"")]
    [InlineData("""{"id":null,"idempotency_key":null}""")]
    public async Task An_event_without_a_request_of_ours_has_no_origin(string request) =>
        (await ReceiveAsync(Event("customer.updated", """{"id":"cus_1","object":"customer"}""", request: request)))
            .ShouldNotBeNull().Origin.ShouldBeNull();

    [Theory]
    [InlineData("\"true\"", false)]
    [InlineData("\"True\"", false)]
    [InlineData("\"false\"", true)]
    [InlineData("\"\"", true)]
    public async Task Objects_marked_as_pushed_forward_are_left_alone(string mark, bool processed)
    {
        var item = $$$"""{"id":"cus_1","object":"customer","metadata":{"fwd-push":{{{mark}}}}}""";
        ((await ReceiveAsync(Event("customer.updated", item))) is not null).ShouldBe(processed);
        (await ReceiveAsync(Event("customer.updated", item), new() { ["honour_fwd_push"] = "false" }))
            .ShouldNotBeNull();
    }

    [Fact]
    public async Task An_object_archived_by_our_delete_is_deleted_and_one_archived_by_a_person_is_not()
    {
        const string marked =
            """{"id":"prod_1","object":"product","active":false,"metadata":{"duplex_deleted":"true"}}""";
        (await ReceiveAsync(Event("product.updated", marked))).ShouldNotBeNull()
            .Operation.ShouldBe(ChangeOperation.Delete);

        var revived = marked.Replace("false", "true", StringComparison.Ordinal);
        (await ReceiveAsync(Event("product.updated", revived))).ShouldNotBeNull()
            .Operation.ShouldBe(ChangeOperation.Update);

        const string archived = """{"id":"prod_1","object":"product","active":false,"metadata":{}}""";
        (await ReceiveAsync(Event("product.updated", archived))).ShouldNotBeNull()
            .Operation.ShouldBe(ChangeOperation.Update);
    }

    [Fact]
    public async Task Another_accounts_objects_are_not_ours()
    {
        var foreign = Event("customer.updated", """{"id":"cus_1","object":"customer"}""", account: "acct_2");
        (await ReceiveAsync(foreign)).ShouldBeNull();
        (await ReceiveAsync(foreign, new() { ["account"] = "acct_2" })).ShouldNotBeNull();
    }

    [Fact]
    public async Task An_unsigned_or_stale_delivery_is_refused_before_it_is_read()
    {
        await using var source = Source();
        var body = Event("customer.updated", """{"id":"cus_1","object":"customer"}""");
        foreach (var header in new[] { null, $"t={Now},v1={new string('0', 64)}", Sign(body, Now - 301),
            Sign(body, Now + 301) })
        {
            var verdict = await source.ReceiveAsync(new WebhookDelivery(body, _ => header), CancellationToken.None);
            verdict.Status.ShouldBe(401);
            verdict.Reason.ShouldNotBeNullOrEmpty();
            verdict.Batch.ShouldBeNull();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{}")]
    [InlineData("""{"id":"evt_1"}""")]
    [InlineData("""{"id":7,"type":"customer.updated"}""")]
    public async Task A_signed_body_that_is_no_event_is_refused(string text)
    {
        await using var source = Source();
        var body = Encoding.UTF8.GetBytes(text);
        var verdict =
            await source.ReceiveAsync(new WebhookDelivery(body, _ => Sign(body, Now)), CancellationToken.None);
        verdict.Status.ShouldBe(400);
        verdict.Batch.ShouldBeNull();
    }

    [Theory]
    [InlineData("""{"id":"evt_1","type":"customer.updated"}""")]
    [InlineData("""{"id":"evt_1","type":"customer.updated","data":7}""")]
    [InlineData("""{"id":"evt_1","type":"customer.updated","data":{"object":null}}""")]
    [InlineData("""{"id":"evt_1","type":"customer.updated","data":{"object":{"object":"customer","id":null}}}""")]
    [InlineData("""{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered"}""")]
    public async Task An_event_without_an_object_changes_nothing(string text) =>
        (await ReceiveAsync(Encoding.UTF8.GetBytes(text))).ShouldBeNull();

    private static byte[] Event(
        string type, string item, string? previous = null, string? account = null,
        string request = """{"id":"req_1","idempotency_key":"dx1:aaaaaaaa:x"}""") => Encoding.UTF8.GetBytes(
        $$"""
        {"id":"evt_1","object":"event","type":"{{type}}","created":{{Now - 3}},"request":{{request}},"livemode":false,
         {{(account is null ? "" : $"\"account\":\"{account}\",")}}
         "data":{"object":{{item}}{{(previous is null ? "" : $",\"previous_attributes\":{previous}")}}} }
        """);

    private static string Sign(byte[] body, long stamp) =>
        $"t={stamp},v1={SignatureCheck.Sign(Connection.WebhookSecret, $"{stamp}", body)}";

    private IWebhookSource Source(Dictionary<string, object>? settings = null)
    {
        var connector = new StripeConnector();
        var context = Connection.To(new Uri("http://127.0.0.1:9"), settings, clock: _clock);
        return (IWebhookSource)connector.OpenSource(context, connector.Spec.Streams);
    }

    private async Task<Change?> ReceiveAsync(byte[] body, Dictionary<string, object>? settings = null)
    {
        await using var source = Source(settings);
        var verdict =
            await source.ReceiveAsync(new WebhookDelivery(body, _ => Sign(body, Now)), CancellationToken.None);
        verdict.Status.ShouldBe(200);
        var journal = new Journal();
        journal.Append(verdict.Batch.ShouldNotBeNull());
        journal.Position.ShouldBeNull("a delivery does not move the source");
        return journal.Changes.SingleOrDefault();
    }
}
