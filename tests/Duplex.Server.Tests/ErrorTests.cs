using System.Net;
using System.Net.Http.Json;
using System.Text;
using Duplex.Client;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

public sealed class ErrorTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    [Theory]
    [InlineData("GET", "/v1/nothing", 404, "request.unknown_path", null)]
    [InlineData("DELETE", "/v1/status", 405, "request.method_not_allowed", null)]
    [InlineData("GET", "/v1/syncs/acme/orders", 404, "request.unknown_sync", "name")]
    [InlineData("GET", "/v1/connections/acme/nothing", 404, "request.unknown_connection", "name")]
    [InlineData("GET", "/v1/connections/globex/shop", 404, "request.unknown_connection", "name")]
    [InlineData("GET", "/v1/syncs/acme/customers/record?key=1", 400, "request.bad_value", "side")]
    [InlineData("GET", "/v1/syncs/acme/customers/record?side=c&key=1", 400, "request.bad_value", "side")]
    [InlineData("GET", "/v1/syncs/acme/customers/record?side=a", 400, "request.bad_value", "key")]
    [InlineData("GET", "/v1/syncs/acme/customers/record?side=a&key=cus_nobody", 404, "request.unknown_record", "key")]
    [InlineData("GET", "/v1/dead-letters?limit=0", 400, "request.bad_value", "limit")]
    [InlineData("GET", "/v1/dead-letters?limit=5000", 400, "request.bad_value", "limit")]
    [InlineData("GET", "/v1/dead-letters?limit=many", 400, "request.bad_value", "limit")]
    [InlineData("GET", "/v1/dead-letters?sync=customers", 400, "request.bad_value", "sync")]
    [InlineData("GET", "/v1/dead-letters/7", 404, "request.unknown_dead_letter", "id")]
    [InlineData("GET", "/v1/conflicts?waiting=perhaps", 400, "request.bad_value", "waiting")]
    public async Task A_refusal_names_the_field_and_the_fix(string method, string path, int status, string code,
        string? field)
    {
        using var http = fixture.Server.Http();
        using var response = await http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        await ShouldRefuseAsync(response, status, code, field);
    }

    [Theory]
    [InlineData("{", 400, "request.unreadable", null)]
    [InlineData("[]", 400, "request.unreadable", null)]
    [InlineData("{\"ids\":[\"x\"]}", 400, "request.unreadable", null)]
    [InlineData("{}", 400, "request.bad_value", "ids")]
    [InlineData("{\"ids\":[]}", 400, "request.bad_value", "ids")]
    [InlineData("{\"ids\":[1],\"sync\":\"acme/customers\"}", 400, "request.bad_value", "ids")]
    [InlineData("{\"ids\":[99]}", 404, "request.unknown_dead_letter", "id")]
    [InlineData("{\"sync\":\"acme/orders\"}", 404, "request.unknown_sync", "name")]
    public async Task A_bad_body_is_refused_with_the_reason(string body, int status, string code, string? field)
    {
        using var http = fixture.Server.Http();
        using var response = await http.PostAsync(
            "/v1/dead-letters/replay", new StringContent(body, Encoding.UTF8, "application/json"));
        await ShouldRefuseAsync(response, status, code, field);
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_refused_unread()
    {
        using var http = fixture.Server.Http();
        using var response = await http.PostAsync(
            "/v1/dead-letters/replay",
                new StringContent(new string(' ', 65 * 1024), Encoding.UTF8, "application/json"));
        await ShouldRefuseAsync(response, 413, "request.too_large", null);
    }

    [Fact]
    public async Task Another_media_type_is_refused()
    {
        using var http = fixture.Server.Http();
        using var response =
            await http.PostAsync("/v1/dead-letters/replay", new StringContent("ids=1", Encoding.UTF8, "text/plain"));
        await ShouldRefuseAsync(response, 415, "request.media_type", null);
    }

    private static async Task ShouldRefuseAsync(HttpResponseMessage response, int status, string code, string? field)
    {
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe((HttpStatusCode)status, text);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = (await response.Content.ReadFromJsonAsync<ProblemDocument>(DuplexJson.Compact))!;
        problem.Status.ShouldBe(status);
        problem.Code.ShouldBe(code);
        problem.Field.ShouldBe(field);
        problem.Detail.ShouldNotBeNullOrWhiteSpace();
        problem.Fix.ShouldNotBeNullOrWhiteSpace();
    }
}
