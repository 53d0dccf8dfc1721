using System.Collections.Concurrent;
using System.Text;
using Duplex.Sdk;
using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Webhooks;

namespace Duplex.EndToEnd.Tests;

/// <summary>Webhooks that nobody should believe, that come again, or that come in floods.</summary>
public sealed class WebhookFaultTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    [SkippableFact]
    public async Task Forged_stale_and_early_webhooks_are_refused_and_change_nothing()
    {
        await using var bed = await postgres.BedAsync();
        await ArrivedAsync(bed);
        await bed.QuietAsync();
        var id = bed.StripeCustomer("ada@x.org").GetProperty("id").GetString();
        var body = Event(bed, id!, "Mallory");
        var appended = (await bed.Engine.StatusAsync(default)).Connections.Single(static c => c.Name == "billing").AppendedTotal;
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        (await SendAsync(bed, body, WebhookSignature.Header(body, now, ["whsec_wrong"]))).ShouldBe(401);
        (await SendAsync(bed, body, WebhookSignature.Header(body, now - 400, ["whsec_test"]))).ShouldBe(401);
        (await SendAsync(bed, body, WebhookSignature.Header(body, now + 400, ["whsec_test"]))).ShouldBe(401);
        (await SendAsync(bed, body, WebhookSignature.Header("{}"u8, now, ["whsec_test"]))).ShouldBe(401);
        (await SendAsync(bed, body, null)).ShouldBe(401);
        var (status, _) = await bed.Engine.ReceiveWebhookAsync("other", "billing",
            new WebhookDelivery(body, _ => WebhookSignature.Header(body, now, ["whsec_test"])), default);
        status.ShouldBe(404);
        await bed.QuietAsync();
        (await bed.QueryAsync("select name from customers")).ShouldBe(["Ada"]);
        (await bed.Engine.StatusAsync(default)).Connections.Single(static c => c.Name == "billing").AppendedTotal
            .ShouldBe(appended);
    }

    [SkippableFact]
    public async Task A_change_whose_webhooks_are_all_forged_still_arrives_by_polling()
    {
        await using var bed = await postgres.BedAsync();
        await bed.StartAsync();
        await bed.ReadyAsync();
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookForge });
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Ada&email=ada@x.org");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select name from customers")).SequenceEqual(["Ada"]),
            "Ada arrives");
        await bed.UntilAsync(() => bed.Stripe.FaultCounts.GetValueOrDefault(FaultKind.WebhookForge) > 0, "one was forged");
    }

    [SkippableFact]
    public async Task Webhooks_that_are_replayed_have_no_effect()
    {
        await using var bed = await postgres.BedAsync();
        await ArrivedAsync(bed);
        var id = bed.StripeCustomer("ada@x.org").GetProperty("id").GetString()!;
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{id}", "name=Old");
        var old = Event(bed, id, "Old");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select name from customers"))[0] == "Old", "the first edit");
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{id}", "name=New");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select name from customers"))[0] == "New", "the second edit");
        await bed.QuietAsync();
        var row = await bed.QueryAsync("select xmin::text || name from customers");
        var writes = bed.Stripe.WriteCount;
        for (var i = 0; i < 20; i++)
        {
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
            (await SendAsync(bed, old, WebhookSignature.Header(old, now, ["whsec_test"]))).ShouldBe(200);
        }

        await bed.QuietAsync();
        (await bed.QueryAsync("select xmin::text || name from customers")).ShouldBe(row);
        bed.Stripe.WriteCount.ShouldBe(writes);
        (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)).ShouldBeEmpty();
    }

    [SkippableFact]
    public async Task A_flood_is_bounded_and_the_other_direction_goes_on()
    {
        await using var bed = await postgres.BedAsync();
        var disk = Task.CompletedTask;
        bed.Calls = new CallCounts
        {
            Hold = (member, args) => member == "AppendAsync" && args[0] is "acme/billing" ? Volatile.Read(ref disk) : null,
        };
        await ArrivedAsync(bed);
        await bed.QuietAsync();
        var id = bed.StripeCustomer("ada@x.org").GetProperty("id").GetString()!;
        var body = Event(bed, id, "Ada");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var good = WebhookSignature.Header(body, now, ["whsec_test"]);
        var forged = WebhookSignature.Header(body, now, ["whsec_wrong"]);
        var statuses = new ConcurrentDictionary<int, int>();
        using var stop = new CancellationTokenSource();

        // A disk that keeps webhooks waiting: whether there is room is not left to its speed.
        var slow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref disk, slow.Task);
        var flood = Enumerable.Range(0, 1500)
            .Select(n => FloodAsync(bed, body, n % 10 > 0 ? good : forged, statuses, stop.Token)).ToList();
        await bed.UntilAsync(() => statuses.ContainsKey(503), "one is refused for want of room");
        statuses.ShouldNotContainKey(200, "nothing is acknowledged that is not on disk");
        await CrossAsync(bed, "waiting@x.org");
        slow.SetResult();
        for (var i = 0; i < 10; i++)
        {
            await CrossAsync(bed, $"p{i}@x.org");
        }

        await bed.UntilAsync(() => statuses.ContainsKey(200) && statuses.ContainsKey(401), "others are taken, or found forged");
        await stop.CancelAsync();
        await Task.WhenAll(flood);
        statuses.Keys.ShouldBe([200, 401, 503], ignoreOrder: true);
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(12);
        await bed.ReadyAsync();
    }

    [SkippableFact]
    public async Task While_a_secret_is_rotated_a_webhook_signed_by_either_is_taken()
    {
        await using var bed = await postgres.BedAsync();
        await bed.StartAsync();
        await bed.ReadyAsync();
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Ada&email=ada@x.org");
        await bed.UntilAsync(async () => (await bed.QueryAsync("select name from customers")).SequenceEqual(["Ada"]),
            "Ada arrives");
        var body = Event(bed, bed.StripeCustomer("ada@x.org").GetProperty("id").GetString()!, "Ada");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        (await SendAsync(bed, body, WebhookSignature.Header(body, now, ["whsec_new", "whsec_test"]))).ShouldBe(200);
        (await SendAsync(bed, body, WebhookSignature.Header(body, now, ["whsec_test", "whsec_new"]))).ShouldBe(200);
        (await SendAsync(bed, body, WebhookSignature.Header(body, now, ["whsec_new"]))).ShouldBe(401);
        await bed.QuietAsync();
        (await bed.QueryAsync("select name from customers")).ShouldBe(["Ada"]);
    }

    /// <summary>A row that is written now arrives, whatever the other direction does.</summary>
    private static async Task CrossAsync(Bed bed, string email)
    {
        await bed.ExecuteAsync($"insert into customers (name, email) values ('p', '{email}')");
        await bed.UntilAsync(() => bed.StripeHas(email), "the other direction goes on");
    }

    /// <summary>
    /// One sender among many: as fast as the answers come, but with a wire between; without one the senders would take
    /// all processors and starve the tests beside this one. Counts the statuses that it saw.
    /// </summary>
    private static async Task FloodAsync(
        Bed bed, byte[] body, string signature, ConcurrentDictionary<int, int> statuses, CancellationToken stop)
    {
        using var wire = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!stop.IsCancellationRequested)
        {
            statuses.AddOrUpdate(await SendAsync(bed, body, signature), 1, static (_, n) => n + 1);
            await wire.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Starts with a customer, Ada, who has arrived as a row.</summary>
    private static async Task ArrivedAsync(Bed bed)
    {
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Ada&email=ada@x.org");
        await bed.StartAsync();
        await bed.UntilAsync(async () => (await bed.QueryAsync("select name from customers")).SequenceEqual(["Ada"]),
            "Ada arrives");
    }

    private static async Task<int> SendAsync(Bed bed, byte[] body, string? signature)
    {
        var (status, _) = await bed.Engine.ReceiveWebhookAsync("acme", "billing", new WebhookDelivery(body,
            name => name.Equals("Stripe-Signature", StringComparison.OrdinalIgnoreCase) ? signature : null), default);
        return status;
    }

    private static byte[] Event(Bed bed, string id, string name)
    {
        var customer = bed.StripeCustomer("ada@x.org").GetRawText()
            .Replace($"\"name\":\"Ada\"", $"\"name\":\"{name}\"", StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes($$"""
            {"id":"evt_replayed_{{name}}","object":"event","type":"customer.updated","api_version":"2026-07-29.dahlia",
            "created":{{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}},"livemode":false,"pending_webhooks":1,
            "request":{"id":null,"idempotency_key":null},"data":{"object":{{customer}},"previous_attributes":{"name":"{{id}}"} } }
            """);
    }
}
