namespace Duplex.Connectors.Stripe.Tests;

public sealed class RatePlanTests
{
    private static readonly ScriptedStripe Stripe = new((_, _) => ScriptedStripe.Reply(200, """{"id":"cus_1"}"""));

    [Theory]
    [InlineData("sk_test_1", 25)]
    [InlineData("rk_test_1", 25)]
    [InlineData("sk_live_1", 100)]
    public async Task The_accounts_rate_follows_the_kind_of_key(string key, double rate)
    {
        var budget = new RecordedBudget();
        var context = Connection.To(Stripe, new() { ["api_key"] = key }, budget);
        context = context with { Settings = Without(context, key) };
        await using var sink = new StripeConnector().OpenSink(context);

        await sink.WriteAsync(Connection.Create("customers", """{"name":"Ann"}"""));

        budget.Acquired.ShouldBe([("acme/billing/POST /v1/customers", 25), ("acme/billing", rate)]);
    }

    [Fact]
    public async Task A_single_operation_may_have_a_rate_of_its_own()
    {
        var budget = new RecordedBudget();
        var rates = new Dictionary<string, string> { ["POST /v1/customers/{id}"] = "50" };
        await using var sink = new StripeConnector().OpenSink(
            Connection.To(Stripe, new() { ["operation_rates"] = rates, ["requests_per_operation"] = "10" }, budget));

        await sink.WriteAsync(Connection.Update("customers", RecordKey.Of("cus_1"), """{"name":"Ann"}"""));
        await sink.WriteAsync(Connection.Create("customers", """{"name":"Ann"}"""));

        budget.Acquired.Select(static a => (a.Scope, a.PerSecond)).ShouldBe(
        [
            ("acme/billing/POST /v1/customers/{id}", 50), ("acme/billing", 0),
            ("acme/billing/POST /v1/customers", 10), ("acme/billing", 0),
        ]);
    }

    private static ConnectionSettings Without(ConnectorContext context, string key) => ConnectionSettings.Read(
        new StripeConnector().Spec,
        new Dictionary<string,
        object> { ["api_key"] = key, ["base_url"] = context.Settings.Get(StripeSettings.BaseUrl) },
        "", []);
}
