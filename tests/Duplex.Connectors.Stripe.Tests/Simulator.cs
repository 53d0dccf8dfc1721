using System.Text;
using System.Text.Json;
using Duplex.Simulators.Stripe.Limits;

namespace Duplex.Connectors.Stripe.Tests;

/// <summary>Starts simulators and says what they hold.</summary>
internal static class Simulator
{
    public static Task<StripeSimulator> StartAsync(StripeLimits? limits = null) => StripeSimulator.StartAsync(
        new StripeSimulatorOptions { ApiKey = "sk_test_123", Limits = limits ?? StripeLimits.None });

    public static ConnectorContext Context(this StripeSimulator stripe, Dictionary<string, object>? settings = null) =>
        Connection.To(stripe.BaseAddress, settings);

    public static JsonElement[] All(this StripeSimulator stripe, string type) =>
        [.. stripe.Objects(type).Select(static json => JsonElement.Parse(json))];

    /// <summary>The object, or nothing.</summary>
    public static JsonElement? Find(this StripeSimulator stripe, string type, string id) =>
        stripe.All(type).Where(item => item.GetProperty("id").GetString() == id).Cast<JsonElement?>().SingleOrDefault();

    /// <summary>Customers c0, c1, …, each created so many seconds after the one before it.</summary>
    public static void SeedSpread(this StripeSimulator stripe, int count, long firstCreated, Func<int, long> after)
    {
        var json = new StringBuilder("[");
        for (var i = 0; i < count; i++)
        {
            json.Append(i == 0 ? "" : ",")
                .Append($$"""{"id":"cus_{{i:00000}}","created":{{firstCreated + after(i)}},"name":"Customer {{i}}"}""");
        }

        stripe.Seed(Encoding.UTF8.GetBytes(json.Append(']').ToString())).ShouldBe(count);
    }

    public static RecordKey Created(this StripeSimulator stripe, string path, string form) =>
        RecordKey.Of(JsonElement.Parse(stripe.EditOnDashboard("POST", path, form)).GetProperty("id").GetString()!);
}
