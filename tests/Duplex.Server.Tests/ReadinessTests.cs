using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Duplex.Simulators.Stripe.Faults;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

public sealed class ReadinessTests
{
    [Fact]
    public async Task Ready_is_false_while_a_system_is_down_and_true_again_without_a_hand()
    {
        await using var server = await RunningServer.StartAsync();
        await server.UntilReadyAsync();
        server.Billing.AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Status = 503 });
        using var http = server.Http();
        await RunningServer.UntilAsync(
            async () => (await http.GetAsync("/readyz")).StatusCode == HttpStatusCode.ServiceUnavailable, "it is not ready");
        using (var response = await http.GetAsync("/readyz"))
        {
            var document = (await response.Content.ReadFromJsonAsync<JsonElement>());
            document.GetProperty("because").EnumerateArray().Select(static b => b.GetString())
                .ShouldContain(static b => b!.Contains("acme/billing", StringComparison.Ordinal));
        }

        (await http.GetAsync("/healthz")).StatusCode.ShouldBe(HttpStatusCode.OK, "the process itself is well");
        using var client = server.Client();
        var connection = (await client.ConnectionsAsync()).Items.Single(static c => c.Name == "billing");
        connection.Error.ShouldNotBeNull();
        connection.State.ShouldBe("retrying");

        server.Billing.ClearFaults();
        await server.UntilReadyAsync();
    }

    [Fact]
    public async Task A_paused_sync_does_not_make_the_server_unready()
    {
        await using var server = await RunningServer.StartAsync();
        await server.UntilReadyAsync();
        using var client = server.Client();
        await client.PauseAsync("acme", "customers");
        await RunningServer.UntilAsync(
            async () => (await client.SyncsAsync()).Items[0].Legs.All(static l => l.State == "paused"), "both legs are paused");
        (await client.StatusAsync()).Ready.ShouldBeTrue();
    }
}
