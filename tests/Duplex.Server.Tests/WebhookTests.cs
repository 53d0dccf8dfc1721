using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Duplex.Client;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

public sealed class WebhookTests
{
    [Theory]
    [InlineData("/webhooks/acme/billing")]
    [InlineData("/webhooks/billing")]
    public async Task A_signed_delivery_is_on_disk_when_it_is_answered(string path)
    {
        await using var server = await RunningServer.StartAsync();
        await server.UntilReadyAsync();
        var body = Event("evt_1");
        var before = await AppendedAsync(server);
        using var response = await SendAsync(server, path, body, Signature(body, RunningServer.Secret));
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        (await AppendedAsync(server)).ShouldBe(before + 1);
    }

    [Fact]
    public async Task A_delivery_is_taken_once_however_often_it_comes()
    {
        await using var server = await RunningServer.StartAsync();
        await server.UntilReadyAsync();
        var body = Event("evt_1");
        var before = await AppendedAsync(server);
        for (var i = 0; i < 3; i++)
        {
            using var response =
                await SendAsync(server, "/webhooks/acme/billing", body, Signature(body, RunningServer.Secret));
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        (await AppendedAsync(server)).ShouldBe(before + 1);
    }

    [Fact]
    public async Task A_forged_delivery_is_refused_and_leaves_nothing()
    {
        await using var server = await RunningServer.StartAsync();
        await server.UntilReadyAsync();
        var body = Event("evt_1");
        var before = await AppendedAsync(server);
        foreach (var signature in new[] { Signature(body, "whsec_other"), "", "t=1,v1=00",
            Signature(body + " ", RunningServer.Secret) })
        {
            using var response = await SendAsync(server, "/webhooks/acme/billing", body, signature);
            ((int)response.StatusCode).ShouldBeInRange(400, 401);
            var problem = (await response.Content.ReadFromJsonAsync<ProblemDocument>(DuplexJson.Compact))!;
            problem.Code.ShouldBe("webhook.refused");
            problem.Fix.ShouldNotBeNullOrWhiteSpace();
        }

        (await AppendedAsync(server)).ShouldBe(before);
    }

    [Theory]
    [InlineData("/webhooks/acme/nothing")]
    [InlineData("/webhooks/globex/billing")]
    [InlineData("/webhooks/nothing")]
    public async Task A_delivery_for_no_connection_is_refused(string path)
    {
        await using var server = await RunningServer.StartAsync();
        var body = Event("evt_1");
        using var response = await SendAsync(server, path, body, Signature(body, RunningServer.Secret));
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_delivery_beyond_the_limit_is_refused()
    {
        await using var server = await RunningServer.StartAsync();
        var body = new string(' ', 65 * 1024);
        using var response =
            await SendAsync(server, "/webhooks/acme/billing", body, Signature(body, RunningServer.Secret));
        response.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task The_API_is_not_served_where_webhooks_are_taken()
    {
        await using var server = await RunningServer.StartAsync();
        using var http = new HttpClient { BaseAddress = server.Host.DataAddress };
        (await http.GetAsync("/v1/status")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await http.GetAsync("/healthz")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task<long> AppendedAsync(RunningServer server) =>
        (await server.Host.Engine.Parts.Log.DescribeAsync(CancellationToken.None))
            .Where(static p => p.Topic.Contains("billing", StringComparison.Ordinal)).Sum(static p => p.NextOffset);

    private static async Task<HttpResponseMessage> SendAsync(RunningServer server, string path, string body,
        string signature)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Host.DataAddress, path))
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Stripe-Signature", signature);
        return await http.SendAsync(request);
    }

    private static string Event(string id) =>
        $$$"""
        {"id":"{{{id}}}","object":"event","api_version":"2026-07-29.dahlia","created":{{{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}}},
         "type":"customer.deleted","livemode":false,"pending_webhooks":1,"request":{"id":null,"idempotency_key":null},
         "data":{"object":{"id":"cus_never_seen","object":"customer","deleted":true,"name":"Nobody"} } }
        """;

    private static string Signature(string body, string secret)
    {
        var at = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var digest = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{at}.{body}"));
        return $"t={at},v1={Convert.ToHexStringLower(digest)}";
    }
}
