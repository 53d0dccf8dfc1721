using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Webhooks;

namespace Duplex.Simulators.Stripe.Tests;

public sealed class EventTests : IAsyncLifetime
{
    private StripeSimulator simulator = null!;
    private StripeCaller stripe = null!;
    private WebhookCatcher catcher = null!;

    public async Task InitializeAsync()
    {
        catcher = await WebhookCatcher.StartAsync();
        simulator = await StripeSimulator.StartAsync(new()
        {
            WebhookUrl = catcher.Url,
            WebhookSecrets = ["whsec_old", "whsec_new"],
            WebhookConcurrency = 1,
            WebhookRetryFirst = TimeSpan.FromMilliseconds(20),
        });
        stripe = new StripeCaller(simulator);
    }

    public async Task DisposeAsync()
    {
        stripe.Dispose();
        await simulator.DisposeAsync();
        await catcher.DisposeAsync();
    }

    [Fact]
    public async Task A_change_raises_one_event_with_its_request_and_the_former_values()
    {
        var made = await stripe.PostAsync("/v1/customers", "name=A&metadata[a]=1&address[city]=X", "k1");
        var id = made.Text("id");
        var changed = await stripe.PostAsync("/v1/customers/" + id, "name=B&metadata[b]=2&address[city]=Y", "k2");
        (await stripe.PostAsync("/v1/customers/" + id, "name=B", "k3")).Status.ShouldBe(200);
        var events = (await stripe.GetAsync("/v1/events")).Data;
        events.Count.ShouldBe(2);
        var latest = events[0]!;
        latest["type"]!.GetValue<string>().ShouldBe("customer.updated");
        latest["request"]!["id"]!.GetValue<string>().ShouldBe(changed.Header("Request-Id"));
        latest["request"]!["idempotency_key"]!.GetValue<string>().ShouldBe("k2");
        JsonNode.DeepEquals(latest["data"]!["object"], changed.Body).ShouldBeTrue();
        JsonNode.DeepEquals(
            latest["data"]!["previous_attributes"],
            JsonNode.Parse("""{"address":{"city":"X"},"metadata":{"b":null},"name":"A"}""")).ShouldBeTrue();
        JsonNode.DeepEquals(events[1]!["data"]!["object"], made.Body).ShouldBeTrue();
        events[1]!["data"]!.AsObject().ContainsKey("previous_attributes").ShouldBeFalse();
    }

    [Fact]
    public async Task Events_filter_by_type_and_time_and_are_kept_thirty_days()
    {
        var id = await stripe.CreateAsync("/v1/customers", "name=A");
        await stripe.PostAsync("/v1/customers/" + id, "name=B");
        await stripe.CreateAsync("/v1/products", "name=P");
        await stripe.DeleteAsync("/v1/customers/" + id);
        (await Types("")).ShouldBe(["customer.deleted", "product.created", "customer.updated", "customer.created"]);
        (await Types("?type=customer.*&limit=2")).ShouldBe(["customer.deleted", "customer.updated"]);
        (await Types("?types[]=product.created&types[]=customer.created"))
            .ShouldBe(["product.created", "customer.created"]);
        var now = simulator.Now.ToUnixTimeSeconds();
        (await Types($"?created[gt]={now + 60}")).ShouldBeEmpty();
        simulator.AdvanceClock(TimeSpan.FromDays(29));
        (await Types("")).Count.ShouldBe(4);
        simulator.AdvanceClock(TimeSpan.FromDays(2));
        (await Types("")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_webhook_is_signed_over_its_raw_bytes_once_for_every_secret()
    {
        await stripe.CreateAsync("/v1/customers", "name=J%C3%B6rg");
        var caught = (await catcher.WaitAsync(1))[0];
        caught.Text.ShouldContain("Jörg");
        var parts = caught.Signature.Split(',');
        parts[0].ShouldStartWith("t=");
        var time = long.Parse(parts[0][2..]);
        caught.Signature.ShouldBe(WebhookSignature.Header(caught.Raw, time, ["whsec_old", "whsec_new"]));
        parts.Count(static part => part.StartsWith("v1=")).ShouldBe(2);
        var listed = (await stripe.GetAsync("/v1/events")).Data[0]!;
        listed["id"]!.GetValue<string>().ShouldBe(caught.Event["id"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_webhook_that_is_not_accepted_is_repeated_until_it_is()
    {
        catcher.Statuses.Enqueue(500);
        catcher.Statuses.Enqueue(302);
        await stripe.CreateAsync("/v1/customers", "name=A");
        var caught = await catcher.WaitAsync(3);
        caught.Select(static one => one.Event["id"]!.GetValue<string>()).Distinct().Count().ShouldBe(1);
        await Until(async () => (await stripe.GetAsync("/v1/events?delivery_success=true")).Data.Count == 1);
    }

    [Fact]
    public async Task Webhook_faults_drop_and_duplicate_while_the_events_stay_listed()
    {
        simulator.AddFault(new FaultRule { Kind = FaultKind.WebhookDrop, Next = 1 });
        simulator.AddFault(new FaultRule { Kind = FaultKind.WebhookDuplicate, Next = 1 });
        var dropped = await stripe.CreateAsync("/v1/customers", "name=A");
        var doubled = await stripe.CreateAsync("/v1/customers", "name=B");
        var plain = await stripe.CreateAsync("/v1/customers", "name=C");
        var caught = await catcher.WaitAsync(3);
        caught.Select(static one => one.Event["data"]!["object"]!["id"]!.GetValue<string>())
            .ShouldBe([doubled, doubled, plain]);
        (await Types("")).Count.ShouldBe(3);
        (await stripe.GetAsync("/v1/customers/" + dropped)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_held_back_webhook_is_overtaken()
    {
        simulator.AddFault(new FaultRule { Kind = FaultKind.WebhookDelay, Next = 1, DelayMilliseconds = 3000 });
        var id = await stripe.CreateAsync("/v1/customers", "name=A");
        await stripe.PostAsync("/v1/customers/" + id, "name=B");
        (await catcher.WaitAsync(2)).Select(static one => one.Type).ShouldBe(["customer.updated", "customer.created"]);
    }

    [Fact]
    public async Task A_dashboard_edit_raises_an_event_without_a_request()
    {
        var id = await stripe.CreateAsync("/v1/customers", "name=A");
        simulator.EditOnDashboard("POST", "/v1/customers/" + id, "name=B");
        simulator.EditOnDashboard("DELETE", "/v1/customers/" + id, nullRequest: true);
        var events = (await stripe.GetAsync("/v1/events")).Data;
        events[1]!["request"]!.ToJsonString().ShouldBe("""{"id":null,"idempotency_key":null}""");
        events[0]!.AsObject().ContainsKey("request").ShouldBeTrue();
        events[0]!["request"].ShouldBeNull();
        simulator.WriteCount.ShouldBe(1);
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!await condition())
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private async Task<List<string>> Types(string query) =>
        [.. (await stripe.GetAsync("/v1/events" + query)).Data.Select(static one => one!["type"]!.GetValue<string>())];
}
