using System.Net;
using System.Text.Json;
using Duplex.DynamoDb.Tests;
using Duplex.Push.Tests;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

/// <summary>A server whose feeds are in DynamoDB.</summary>
public sealed class DynamoDbTests
{
    private const string Secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

    [SkippableFact]
    public async Task What_is_posted_is_polled_and_pushed_and_goes_on_after_a_restart()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await RegistryServer.StartAsync(section: $$"""
            feed: { dynamodb: { endpoint: "{{Dynalite.Address}}", region: eu-central-1, table_prefix: s{{Guid.NewGuid():N}}_, access_key: k, secret_key: s } }
            """);
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", RegistryServer.UserSchema);
        await server.SendAsync(HttpMethod.Put, "/v1/customers/zoo",
            $"{{ tables: [ users ], push: {{ url: \"{receiver.Url}\", secret: {Secret}, allow: [ 127.0.0.1 ] }} }}", type: "application/yaml");
        await server.SendAsync(HttpMethod.Put, "/v1/customers/zoo/mappings/users?activate=true", """{"rules":[{"a":"name","b":"label"}]}""");
        (await server.PostAsync(1, "Ada")).ShouldBe(HttpStatusCode.OK);
        await DeliveredAsync(server, ["Ada"]);

        await server.RestartAsync();
        (await server.PostAsync(2, "Bob")).ShouldBe(HttpStatusCode.OK);
        (await server.PostAsync(2, "Bob M.", "UPDATE")).ShouldBe(HttpStatusCode.OK);
        await DeliveredAsync(server, ["Ada", "Bob", "Bob M."]);
        receiver.Arrivals.Select(static a => a.Offset).ShouldBe([1, 2, 3]);
        receiver.Arrivals.ShouldAllBe(static a => a.IsSignedWith(Secret));
        Directory.EnumerateFiles(server.Folder, "*", SearchOption.AllDirectories)
            .ShouldNotContain(static f => Path.GetFileName(f).StartsWith("feed", StringComparison.Ordinal));
    }

    /// <summary>Polls the feed until its records are these and each is delivered.</summary>
    private static Task DeliveredAsync(RegistryServer server, IReadOnlyList<string> labels) => RunningServer.UntilAsync(async () =>
    {
        var records = JsonElement.Parse(await server.Data.GetStringAsync("/feed/zoo")).GetProperty("records").EnumerateArray().ToList();
        return records.Select(static r => r.GetProperty("transformedData").GetProperty("label").GetString()).SequenceEqual(labels)
            && records.Select(static r => r.GetProperty("offset").GetInt64()).SequenceEqual(Enumerable.Range(1, labels.Count).Select(static n => (long)n))
            && records.TrueForAll(static r => r.GetProperty("status").GetString() == "delivered");
    }, $"the feed holds {string.Join(", ", labels)}");
}
