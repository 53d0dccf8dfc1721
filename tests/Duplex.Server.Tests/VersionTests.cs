using System.Net;
using System.Text;
using System.Text.Json;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

/// <summary>Versions of posted records, from the door to a customer's feed.</summary>
public sealed class VersionTests
{
    [Fact]
    public async Task An_older_version_that_is_posted_later_is_left_out_of_the_feed_and_told()
    {
        await using var server = await RegistryServer.StartAsync();
        await RegistryServer.SeedAsync(server.Host);
        foreach (var version in new[] { 1, 3, 2, 3, 1, 4 })
        {
            await PostAsync(server, "1", $$"""{"id":{{version}}}""", $",\"version\":{version}");
        }

        foreach (var n in new[] { 1, 3, 2 })
        {
            await PostAsync(server, "2", $$"""{"id":{{n}}}""", "");
        }

        await server.FeedAsync("customer-c", 6);
        (await SupersededAsync(server)).ShouldBe(1);
        var feed = JsonElement.Parse(await server.Data.GetStringAsync("/feed/customer-c")).GetProperty("records").EnumerateArray()
            .Select(static r => $"{r.GetProperty("key")[0]} {r.GetProperty("version")} {r.GetProperty("transformedData").GetProperty("userId")}")
            .ToList();
        feed.Where(static r => r[0] == '1').ShouldBe(["1 1 1", "1 3 3", "1 4 4"]);
        feed.Where(static r => r[0] == '2').ShouldBe(["2  1", "2  3", "2  2"], "without versions the order of the posts decides");
        (await server.Control.GetStringAsync("/metrics")).Split('\n')
            .Single(static l => l.StartsWith("duplex_changes", StringComparison.Ordinal) && l.Contains("superseded")).ShouldEndWith(" 1");
    }

    private static async Task<long> SupersededAsync(RegistryServer server) => JsonElement.Parse(
            await server.Control.GetStringAsync("/v1/customers/customer-c"))
        .GetProperty("progress").GetProperty("superseded").GetInt64();

    private static async Task PostAsync(RegistryServer server, string key, string after, string more)
    {
        using var content = new StringContent(
            $$"""{"table":"users","event_type":"INSERT","primary_key":{"id":{{key}}},"after":{{after}}{{more}}}""",
            Encoding.UTF8, "application/json");
        using var response = await server.Data.PostAsync("/sync", content);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
    }
}
