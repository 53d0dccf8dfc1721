namespace Duplex.Connectors.Stripe.Tests;

public sealed class CheckTests
{
    private static readonly StreamUse Both = new("customers", Reads: true, Writes: true, Deletes: true);

    [Fact]
    public async Task A_working_connection_has_nothing_to_correct()
    {
        await using var stripe = await Simulator.StartAsync();
        (await CheckAsync(stripe.Context(), Both)).ShouldBeEmpty();
        stripe.WriteCount.ShouldBe(0);
    }

    [Theory]
    [InlineData("sk_test_wrong", "stripe.unauthorized")]
    [InlineData("sk_test_expired", "stripe.unauthorized")]
    [InlineData("pk_test_1", "stripe.publishable_key")]
    [InlineData("sk_test_\n", "stripe.bad_key")]
    public async Task A_key_that_is_of_no_use_is_named_with_its_fix(string key, string code)
    {
        await using var stripe = await StartAsync();
        var finding = (await CheckAsync(stripe.Context(new() { ["api_key"] = key }), Both)).ShouldHaveSingleItem();
        finding.Code.ShouldBe(code);
        finding.Severity.ShouldBe(FindingSeverity.Error);
        finding.Path.ShouldBe("/connections/billing/api_key");
        finding.Suggestion.ShouldNotBeNullOrEmpty();
        finding.Message.ShouldNotContain(key);
    }

    [Fact]
    public async Task Every_permission_that_a_restricted_key_lacks_is_named()
    {
        await using var stripe = await StartAsync();
        var context = stripe.Context(new() { ["api_key"] = "rk_test_reader" });

        var findings = await CheckAsync(context, Both, new StreamUse("products", false, true, false));

        findings.Select(static f => f.Message).ShouldBe(
        [
            "The key may not read events.", "The key may not write customers.", "The key may not read products.",
            "The key may not write products.",
        ]);
        findings.ShouldAllBe(static f => f.Code == "stripe.forbidden" && f.Suggestion != null);
        stripe.WriteCount.ShouldBe(0);
    }

    [Fact]
    public async Task A_key_that_may_do_what_is_needed_is_enough()
    {
        await using var stripe = await StartAsync();
        (await CheckAsync(stripe.Context(new() { ["api_key"] = "rk_test_enough" }), Both)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_wrong_with_the_settings_is_found_all_at_once()
    {
        var context = Connection.To(new Uri("http://stripe.example/"), new()
        {
            ["api_key"] = "pk_live_1",
            ["account"] = "123",
            ["webhook_secret"] = "secret",
            ["operation_rates"] = new Dictionary<string, string> { ["POST /v1/customers"] = "many" },
        });
        (await CheckAsync(context, Both, Both with { Stream = "charges" })).Select(static f => f.Code).ShouldBe(
        [
            "stripe.publishable_key", "stripe.bad_account", "stripe.plain_address", "stripe.webhook_secret", "stripe.bad_rate",
                "stripe.unknown_stream",
        ]);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unreachable()
    {
        Uri gone;
        await using (var stripe = await Simulator.StartAsync())
        {
            gone = stripe.BaseAddress;
        }

        (await CheckAsync(Connection.To(gone), Both)).ShouldHaveSingleItem().Code.ShouldBe("stripe.unreachable");
    }

    [Fact]
    public async Task A_schema_says_what_may_be_written_and_when()
    {
        var connector = new StripeConnector();
        var context = Connection.To(new Uri("http://127.0.0.1:9"));
        foreach (var stream in connector.Spec.Streams)
        {
            var schema = await connector.DescribeAsync(context, stream, CancellationToken.None);
            schema.Stream.ShouldBe(stream);
            schema.Key.ShouldBe(["id"]);
            schema.Fields.Select(static f => f.Name).ShouldBeUnique();
            schema.Fields.Single(static f => f.Name == "created").Writable.ShouldBeFalse();
        }

        var price = await connector.DescribeAsync(context, "prices", CancellationToken.None);
        price.Fields.Single(static f => f.Name == "unit_amount").CreateOnly.ShouldBeTrue();
        price.Fields.Single(static f => f.Name == "nickname").CreateOnly.ShouldBeFalse();
        (await Should.ThrowAsync<SyncException>(() =>
            connector.DescribeAsync(context, "charges", CancellationToken.None)))
            .Error.Suggestion.ShouldNotBeNull();
    }

    private static Task<StripeSimulator> StartAsync() => StripeSimulator.StartAsync(new StripeSimulatorOptions
    {
        ApiKey = "sk_test_123",
        ExpiredKeys = ["sk_test_expired"],
        RestrictedKeys = new Dictionary<string, IReadOnlyCollection<string>>
        {
            ["rk_test_reader"] = ["customers:read"],
            ["rk_test_enough"] = ["customers:read", "customers:write", "events:read"],
        },
    });

    private static Task<IReadOnlyList<Finding>> CheckAsync(ConnectorContext context, params StreamUse[] uses) =>
        new StripeConnector().CheckAsync(context, uses, CancellationToken.None);
}
