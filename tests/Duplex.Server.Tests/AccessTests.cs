using System.Net;
using System.Net.Http.Json;
using Duplex.Client;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

public sealed class AccessTests
{
    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized, "auth.missing")]
    [InlineData("operator-key-012345678", HttpStatusCode.Unauthorized, "auth.refused")]
    [InlineData("operator-key-0123456789x", HttpStatusCode.Unauthorized, "auth.refused")]
    public async Task Where_keys_are_configured_nothing_is_told_without_one(string? key, HttpStatusCode status,
        string code)
    {
        await using var server = await RunningServer.StartAsync(keys: true);
        using var http = server.Http(key);
        foreach (var path in new[] { "/v1/status", "/v1/syncs", "/v1/dead-letters", "/metrics" })
        {
            using var response = await http.GetAsync(path);
            response.StatusCode.ShouldBe(status, path);
            (await response.Content.ReadFromJsonAsync<ProblemDocument>(DuplexJson.Compact))!.Code.ShouldBe(code);
            response.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer");
        }
    }

    [Fact]
    public async Task A_viewer_sees_its_tenant_and_changes_nothing()
    {
        await using var server = await RunningServer.StartAsync(keys: true);
        using var client = server.Client(RunningServer.ViewerKey);
        (await client.SyncsAsync()).Items.Select(static s => s.Name).ShouldBe(["customers"]);
        var refused = await Should.ThrowAsync<DuplexApiException>(() => client.PauseAsync("acme", "customers"));
        refused.Problem.Status.ShouldBe(403);
        refused.Problem.Code.ShouldBe("auth.forbidden");
        (await client.SyncsAsync()).Items[0].State.ShouldNotBe("paused");
    }

    [Fact]
    public async Task A_key_of_one_tenant_cannot_tell_another_tenants_syncs_from_absent_ones()
    {
        await using var server = await RunningServer.StartAsync(keys: true);
        using var client = server.Client(RunningServer.OtherTenantKey);
        (await client.StatusAsync()).Connections.ShouldBeEmpty();
        (await client.SyncsAsync()).Items.ShouldBeEmpty();
        (await client.DeadLettersAsync()).Items.ShouldBeEmpty();
        var theirs = await Should.ThrowAsync<DuplexApiException>(() => client.PauseAsync("acme", "customers"));
        var absent = await Should.ThrowAsync<DuplexApiException>(() => client.PauseAsync("acme", "nothing"));
        theirs.Problem.ShouldBe(absent.Problem with { Detail = absent.Problem.Detail.Replace("nothing", "customers") });
        using var http = server.Http(RunningServer.OtherTenantKey);
        (await http.GetAsync("/metrics")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await http.GetAsync("/v1/log")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task An_operator_pauses_and_resumes()
    {
        await using var server = await RunningServer.StartAsync(keys: true);
        using var client = server.Client(RunningServer.OperatorKey);
        (await client.PauseAsync("acme", "customers")).Done.ShouldBe("paused");
        await RunningServer.UntilAsync(
            async () => (await client.SyncsAsync()).Items[0].Legs.All(static l => l.State == "paused"),
                "both legs are paused");
        (await client.ResumeAsync("acme", "customers")).Done.ShouldBe("resumed");
        await RunningServer.UntilAsync(
            async () => (await client.SyncsAsync()).Items[0].Legs.All(static l => l.State != "paused"),
                "both legs run again");
    }

    [Fact]
    public async Task A_command_that_is_repeated_or_comes_twice_at_once_is_one()
    {
        await using var server = await RunningServer.StartAsync();
        await server.UntilReadyAsync();
        using var client = server.Client();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.PauseAsync("acme", "customers")));
        answers.ShouldAllBe(static a => a.Done == "paused");
        await RunningServer.UntilAsync(
            async () => (await client.SyncsAsync()).Items[0].Legs.All(static l => l.State == "paused"), "both legs are paused");
        server.Shop.EditOnDashboard("POST", "/v1/customers", "name=Ada&email=ada@example.org");
        answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.ResumeAsync("acme", "customers")));
        answers.ShouldAllBe(static a => a.Done == "resumed");
        await RunningServer.UntilAsync(() => Task.FromResult(server.Billing.Objects("customers").Count > 0), "Ada arrives");
        (await client.ResumeAsync("acme", "customers")).Done.ShouldBe("resumed");
        server.Shop.EditOnDashboard("POST", "/v1/customers", "name=Alan&email=alan@example.org");
        await RunningServer.UntilAsync(() => Task.FromResult(server.Billing.Objects("customers").Count > 1), "Alan arrives");
        server.Billing.WriteCount.ShouldBe(2);
    }

    [Fact]
    public async Task Without_keys_a_web_page_cannot_turn_a_browser_against_the_server()
    {
        await using var server = await RunningServer.StartAsync();
        using var http = server.Http();
        using var rebound =
            new HttpRequestMessage(HttpMethod.Get, "/v1/status") { Headers = { Host = "evil.example" } };
        (await http.SendAsync(rebound)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var foreign = new HttpRequestMessage(HttpMethod.Post, "/v1/syncs/acme/customers/pause");
        foreign.Headers.Add("Origin", "https://evil.example");
        (await http.SendAsync(foreign)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var own = new HttpRequestMessage(HttpMethod.Get, "/v1/status");
        own.Headers.Add("Origin", server.Host.ControlAddress.GetLeftPart(UriPartial.Authority));
        (await http.SendAsync(own)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Health_is_told_to_anyone()
    {
        await using var server = await RunningServer.StartAsync(keys: true);
        using var http = server.Http();
        (await http.GetAsync("/healthz")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await server.UntilReadyAsync();
    }
}
