using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Limits;

namespace Duplex.Simulators.Stripe.Tests;

public sealed class ControlTests() : SimulatorTests(new StripeSimulatorOptions { Limits = StripeLimits.None })
{
    private HttpClient control = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        control = new HttpClient { BaseAddress = new Uri(Simulator.BaseAddress, "_sim/") };
    }

    public override async Task DisposeAsync()
    {
        control.Dispose();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task Customers_are_seeded_from_an_array_or_from_lines_and_dumped_whole()
    {
        var array = """[{"name":"A","email":"a@x.de","metadata":{"n":"1"},"created":100},{"id":"cus_1","name":"Ü"}]""";
        (await PostAsync("seed", array))["seeded"]!.GetValue<int>().ShouldBe(2);
        (await PostAsync("seed?type=products", "{\"name\":\"P\"}\n{\"name\":\"Q\",\"active\":false}\n"))["seeded"]!
            .GetValue<int>().ShouldBe(2);
        Simulator.EventCount.ShouldBe(0);
        (await PostAsync("seed?events=true", "{\"name\":\"Z\"}"))["seeded"]!.GetValue<int>().ShouldBe(1);
        Simulator.EventCount.ShouldBe(1);
        var lines = (await control.GetStringAsync("objects/customers")).TrimEnd().Split('\n');
        var dumped = lines.Select(static line => JsonNode.Parse(line)!.AsObject()).ToList();
        dumped.Select(static one => one["name"]!.GetValue<string>()).ShouldBe(["A", "Ü", "Z"]);
        dumped[0]["created"]!.GetValue<long>().ShouldBe(100);
        JsonNode.DeepEquals((await Stripe.GetAsync("/v1/customers/cus_1")).Body, dumped[1]).ShouldBeTrue();
        (await control.GetStringAsync("objects")).TrimEnd().Split('\n').Length.ShouldBe(5);
    }

    [Theory]
    [InlineData("seed", "[{\"nosuch\":1}]")]
    [InlineData("seed", "[{\"id\":\"cus_1\"},{\"id\":\"cus_1\"}]")]
    [InlineData("seed", "[{")]
    [InlineData("seed?type=nosuch", "[]")]
    [InlineData("faults", "{\"kind\":\"nosuch\"}")]
    [InlineData("faults", "{\"kind\":\"slow\",\"nosuch\":1}")]
    [InlineData("clock", "")]
    [InlineData("webhooks", "{}")]
    public async Task A_wrong_command_is_refused(string path, string body)
    {
        using var answer = await control.PostAsync(path, new StringContent(body, Encoding.UTF8));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["error"].ShouldNotBeNull();
    }

    [Fact]
    public async Task Counts_tell_writes_of_the_api_apart_from_everything_else()
    {
        var id = await Stripe.CreateAsync("/v1/customers", "name=A");
        await Stripe.PostAsync("/v1/customers/" + id, "name=B", "k1");
        await Stripe.PostAsync("/v1/customers/" + id, "name=B", "k1");
        await Stripe.PostAsync("/v1/customers/" + id, "name=B");
        await Stripe.PostAsync("/v1/customers/" + id, "nosuch=B");
        await PostAsync($"dashboard/customers/{id}", "name=C");
        var stats = JsonNode.Parse(await control.GetStringAsync("stats?objects=true"))!;
        stats["writes"]!.GetValue<int>().ShouldBe(2);
        stats["writes_unchanged"]!.GetValue<int>().ShouldBe(1);
        stats["replays"]!.GetValue<int>().ShouldBe(1);
        stats["writes_by_object"]![id]!.GetValue<int>().ShouldBe(2);
        stats["operations"]!["POST /v1/customers/{id}"]!.ToJsonString().ShouldBe("""{"200":3,"400":1}""");
        stats["objects"]!["customers"]!.GetValue<int>().ShouldBe(1);
        stats["events"]!.GetValue<int>().ShouldBe(3);
    }

    [Fact]
    public async Task A_stale_read_shows_what_was_true_and_counts_only_then()
    {
        await PostAsync("clock", """{"now":1800000000,"frozen":true}""");
        await PostAsync("faults", """{"kind":"stale_read","operation":"GET /v1/customers*","delay_ms":5000}""");
        var id = await Stripe.CreateAsync("/v1/customers", "name=A");
        (await Stripe.GetAsync("/v1/customers/" + id)).Status.ShouldBe(404);
        (await Stripe.GetAsync("/v1/customers")).Body["data"]!.AsArray().ShouldBeEmpty();
        await PostAsync("clock", """{"now":1800000006,"frozen":true}""");
        await Stripe.PostAsync("/v1/customers/" + id, "name=B");
        (await Stripe.GetAsync("/v1/customers/" + id)).Body["name"]!.GetValue<string>().ShouldBe("A");
        Simulator.FaultCounts[Faults.FaultKind.StaleRead].ShouldBe(3);
        await PostAsync("clock", """{"now":1800000012,"frozen":true}""");
        (await Stripe.GetAsync("/v1/customers/" + id)).Body["name"]!.GetValue<string>().ShouldBe("B");
        Simulator.FaultCounts[Faults.FaultKind.StaleRead].ShouldBe(3);
    }

    [Fact]
    public async Task A_reset_forgets_all_but_the_way_it_was_started()
    {
        await Stripe.CreateAsync("/v1/customers", "name=A");
        await PostAsync("faults", """[{"kind":"error_before"},{"kind":"slow","delay_ms":5}]""");
        await PostAsync("clock", """{"advance_seconds":3600}""");
        await PostAsync("reset", "");
        Simulator.Faults.ShouldBeEmpty();
        Simulator.RequestCount.ShouldBe(0);
        (Simulator.Now - DateTimeOffset.UtcNow).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1));
        (await Stripe.GetAsync("/v1/customers")).Data.ShouldBeEmpty();
        (await Stripe.GetAsync("/v1/events")).Data.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_webhook_added_over_http_gets_events_until_its_endpoint_is_deleted()
    {
        await using var catcher = await WebhookCatcher.StartAsync();
        var wish = $$"""{"url":"{{catcher.Url}}","enabled_events":["customer.updated"]}""";
        var added = await PostAsync("webhooks", wish);
        added["secrets"]!.AsArray().Count.ShouldBe(1);
        var id = await Stripe.CreateAsync("/v1/customers", "name=A");
        await Stripe.PostAsync("/v1/customers/" + id, "name=B");
        (await catcher.WaitAsync(1))[0].Type.ShouldBe("customer.updated");
        var form = $"url={catcher.Url}&enabled_events[]=product.created";
        var made = await Stripe.PostAsync("/v1/webhook_endpoints", form);
        made.Text("secret").ShouldStartWith("whsec_");
        var endpoint = made.Text("id");
        (await Stripe.GetAsync("/v1/webhook_endpoints/" + endpoint)).Body.ContainsKey("secret").ShouldBeFalse();
        await Stripe.CreateAsync("/v1/products", "name=P");
        (await catcher.WaitAsync(2))[1].Type.ShouldBe("product.created");
        await Stripe.PostAsync("/v1/webhook_endpoints/" + endpoint, "disabled=true");
        await Stripe.CreateAsync("/v1/products", "name=Q");
        await Stripe.PostAsync("/v1/webhook_endpoints/" + endpoint, "disabled=false");
        await Stripe.DeleteAsync("/v1/webhook_endpoints/" + endpoint);
        await Stripe.CreateAsync("/v1/products", "name=R");
        await Stripe.PostAsync("/v1/customers/" + id, "name=C");
        (await catcher.WaitAsync(3))[2].Type.ShouldBe("customer.updated");
    }

    [Theory]
    [InlineData("--nosuch")]
    [InlineData("--port", "x")]
    [InlineData("--port")]
    [InlineData("--fault", "nosuch")]
    [InlineData("--webhook-url", "nowhere")]
    public void A_wrong_argument_is_named(params string[] arguments) =>
        Should.Throw<FormatException>(() => CommandLine.Parse(arguments)).Message.ShouldContain(arguments[^1]);

    [Fact]
    public void Arguments_become_options_and_faults()
    {
        var (options, faults) = CommandLine.Parse(
        [
            "--port", "0", "--api-key", "sk_x", "--webhook-url", "http://127.0.0.1:1/h", "--webhook-secret", "a",
            "--webhook-secret", "b", "--rate", "POST /v1/customers=5", "--restricted-key", "rk_x=customers:read",
            "--fault", "error_after:0.25@POST *", "--latency", "7",
        ]);
        options.WebhookSecrets.ShouldBe(["a", "b"]);
        options.Limits.PerOperation["POST /v1/customers"].ShouldBe(5);
        options.Limits.GlobalPerSecond.ShouldBe(100);
        options.RestrictedKeys["rk_x"].ShouldBe(["customers:read"]);
        faults.ShouldHaveSingleItem().ShouldBe(new Faults.FaultRule
        {
            Kind = Faults.FaultKind.ErrorAfter, Probability = 0.25, Operation = "POST *",
        });
    }

    private async Task<JsonObject> PostAsync(string path, string body)
    {
        using var answer = await control.PostAsync(path, new StringContent(body, Encoding.UTF8));
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        var node = JsonNode.Parse(text)!;
        return node as JsonObject ?? new JsonObject { ["list"] = node };
    }
}
