using System.Globalization;
using System.Text.Json;
using Duplex.Client;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

public sealed class ConflictTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private RunningServer Server => fixture.Server;

    private string Url => Server.Host.ControlAddress.ToString();

    [Fact]
    public async Task A_person_sees_what_waits_and_decides_it_by_the_API()
    {
        await Server.UntilReadyAsync();
        var id = await Server.AddConflictAsync("cus_a1", "cus_b1");
        using var client = Server.Client();
        var waiting = (await client.ConflictsAsync("acme/customers", waiting: true)).Items.Single(c => c.Id == id);
        (waiting.Rule, waiting.Winner, waiting.Policy, waiting.Base?.GetString(), waiting.ValueB?.GetString())
            .ShouldBe(("name", null, "manual", "Ada", "Ada of B"));
        (await client.ResolveAsync(id, new ResolveRequest("a"))).Id.ShouldBe(id);
        await RunningServer.UntilAsync(
            async () => (await client.ConflictAsync(id)).Winner == "a" && Names("cus_a1", "cus_b1") == ("Ada of A", "Ada of A"),
            "it is carried out");
        var again = await Should.ThrowAsync<DuplexApiException>(() => client.ResolveAsync(id, new ResolveRequest("b")));
        (again.Problem.Status, again.Problem.Code).ShouldBe((409, "conflict.manual"));
    }

    [Fact]
    public async Task A_person_gives_both_sides_another_value_by_the_command()
    {
        await Server.UntilReadyAsync();
        var id = (await Server.AddConflictAsync("cus_a2", "cus_b2")).ToString(CultureInfo.InvariantCulture);
        (await CommandLine.RunAsync("conflicts", "list", "--url", Url)).Output.ShouldContain("conflicts resolve");
        var decided =
            await CommandLine.RunAsync("conflicts", "resolve", id, "b", "--value", "Lady", "--url", Url, "--json");
        decided.Code.ShouldBe(0, decided.Output);
        decided.Json.GetProperty("rule").GetString().ShouldBe("name");
        await RunningServer.UntilAsync(
            () => Task.FromResult(Names("cus_a2", "cus_b2") == ("Lady", "Lady")), "both sides have it");
        await RunningServer.UntilAsync(
            async () => (await CommandLine.RunAsync("conflicts", "list", "--url", Url, "--json")).Json
                .GetProperty("items").EnumerateArray().Any(static c => c.GetProperty("policy").GetString() == "given"),
            "the list says so");
    }

    [Fact]
    public async Task More_conflicts_than_a_page_holds_are_reached_page_by_page()
    {
        await Server.UntilReadyAsync();
        for (var i = 0; i < 5; i++)
        {
            await Server.AddConflictAsync($"cus_a3{i}", $"cus_b3{i}");
        }

        using var client = Server.Client();
        var all = (await client.ConflictsAsync(waiting: true, limit: 1000)).Items;
        var paged = new List<ConflictDocument>();
        for (long? before = 0; before is { } from;)
        {
            var page = await client.ConflictsAsync(waiting: true, before: from, limit: 2);
            paged.AddRange(page.Items);
            before = page.Next;
        }

        paged.Select(static c => c.Id).ShouldBe(all.Select(static c => c.Id));
        paged.Count.ShouldBeGreaterThanOrEqualTo(5);
        var first = await CommandLine.RunAsync("conflicts", "list", "--waiting", "--limit", "2", "--url", Url);
        first.Output.ShouldContain($"More: duplex conflicts list --waiting --before {paged[1].Id}");
        var second = await CommandLine.RunAsync("conflicts", "list", "--waiting", "--limit", "2", "--before",
            paged[1].Id.ToString(CultureInfo.InvariantCulture), "--url", Url, "--json");
        second.Json.GetProperty("items").EnumerateArray().Select(static c => c.GetProperty("id").GetInt64())
            .ShouldBe(paged.Skip(2).Take(2).Select(static c => c.Id));
    }

    [Theory]
    [InlineData("/v1/conflicts/999999/resolve", """{"use":"a"}""", 404, "request.unknown_conflict")]
    [InlineData("/v1/conflicts/1/resolve", """{"use":"c"}""", 400, "request.bad_value")]
    [InlineData("/v1/conflicts/1/resolve", "{}", 400, "request.bad_value")]
    [InlineData("/v1/conflicts/1/resolve", "[", 400, "request.unreadable")]
    public async Task A_wrong_decision_is_refused_with_its_reason(string path, string body, int status, string code)
    {
        using var http = Server.Http();
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(path, content);
        ((int)response.StatusCode).ShouldBe(status);
        JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("code").GetString().ShouldBe(code);
    }

    [Fact]
    public async Task A_viewer_decides_nothing()
    {
        await using var server = await RunningServer.StartAsync(keys: true);
        using var client = server.Client(RunningServer.ViewerKey);
        var refused = await Should.ThrowAsync<DuplexApiException>(() => client.ResolveAsync(1, new ResolveRequest("a")));
        refused.Problem.Code.ShouldBe("auth.forbidden");
        (await CommandLine.RunAsync("conflicts", "resolve", "1", "c", "--url", Url)).Code.ShouldBe(3);
    }

    private (string? A, string? B) Names(string a, string b) => (Name(Server.Shop, a), Name(Server.Billing, b));

    private static string? Name(Simulators.Stripe.StripeSimulator account, string id) =>
        account.Objects("customers").Select(static o => JsonElement.Parse(o))
            .Single(c => c.GetProperty("id").GetString() == id).GetProperty("name").GetString();
}
