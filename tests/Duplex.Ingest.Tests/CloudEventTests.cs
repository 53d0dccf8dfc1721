using System.Net;
using System.Text;
using Duplex.Sdk;

namespace Duplex.Ingest.Tests;

public sealed class CloudEventTests
{
    private const string Data = """{"event_type":"UPDATE","table":"users","primary_key":{"id":7},"before":{},"after":{ "id": 7 } }""";

    [Theory]
    [InlineData("/sync")]
    [InlineData("/events")]
    public async Task The_structured_form_is_taken_once(string path)
    {
        await using var server = await IngestServer.StartAsync();
        for (var i = 0; i < 2; i++)
        {
            (await PostAsync(server, path, Structured("1", $"\"data\":{Data}"), "application/cloudevents+json; charset=utf-8"))
                .ShouldBePublished("users");
        }

        var change = (await server.ReadAsync("users")).ShouldHaveSingleItem();
        change.Operation.ShouldBe(ChangeOperation.Update);
        change.Id.ShouldBe("/shop 1");
        change.SourceMicros.ShouldBe(1752919200000000);
        change.After!.ToString().ShouldBe("""{ "id": 7 }""");
    }

    [Fact]
    public async Task Data_may_be_octets()
    {
        await using var server = await IngestServer.StartAsync();
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(Data));
        (await PostAsync(server, "/events", Structured("1", $"\"data_base64\":\"{encoded}\""), "application/cloudevents+json"))
            .ShouldBePublished("users");
        (await server.CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task The_binary_form_is_taken_once()
    {
        await using var server = await IngestServer.StartAsync();
        for (var i = 0; i < 2; i++)
        {
            (await server.PostAsync("/events", Encoding.UTF8.GetBytes(Data), headers:
            [
                ("ce-specversion", "1.0"), ("ce-type", "row.changed"), ("ce-source", "/shop%20a"), ("ce-id", "1"),
                ("ce-time", "2025-07-19T10:00:00Z"),
            ])).ShouldBePublished("users");
        }

        var change = (await server.ReadAsync("users")).ShouldHaveSingleItem();
        change.SourceMicros.ShouldBe(1752919200000000);
        change.Id.ShouldBe("/shop a 1");
    }

    [Theory]
    [InlineData("/sync")]
    [InlineData("/events")]
    [InlineData("/sync/batch")]
    public async Task A_batch_is_taken_with_its_repeats_known(string path)
    {
        await using var server = await IngestServer.StartAsync();
        var data = $"\"data\":{Data}";
        var body = $"[{Structured("1", data)},{Structured("2", data)},{Structured("1", data)},"
            + $"{Structured("3", "\"data\":{}")}]";
        var answer = await PostAsync(server, path, body, "application/cloudevents-batch+json");
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.GetProperty("published").GetInt32().ShouldBe(3);
        answer.Json.GetProperty("rejected").GetInt32().ShouldBe(1);
        (await server.CountAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task The_same_id_of_another_source_is_another_event()
    {
        await using var server = await IngestServer.StartAsync();
        foreach (var source in new[] { "/shop", "/other" })
        {
            (await PostAsync(server, "/events", Structured("1", $"\"data\":{Data}").Replace("/shop", source, StringComparison.Ordinal),
                "application/cloudevents+json")).ShouldBePublished("users");
        }

        (await server.CountAsync()).ShouldBe(2);
    }

    [Theory]
    [InlineData("\"id\":\"1\",", "id")]
    [InlineData("\"source\":\"/shop\",", "source")]
    [InlineData("\"type\":\"row.changed\",", "type")]
    [InlineData("\"specversion\":\"1.0\",", "specversion")]
    public async Task An_attribute_that_is_missing_is_named(string without, string name)
    {
        await using var server = await IngestServer.StartAsync();
        var body = Structured("1", $"\"data\":{Data}");
        body.ShouldContain(without);
        var answer = await PostAsync(server, "/events", body.Replace(without, "", StringComparison.Ordinal),
            "application/cloudevents+json");
        answer.Status.ShouldBe(HttpStatusCode.BadRequest, answer.Text);
        answer.Detail.ShouldStartWith(name);
        (await server.CountAsync()).ShouldBe(0);
    }

    private static Task<Answer> PostAsync(IngestServer server, string path, string body, string type) =>
        server.PostAsync(path, Encoding.UTF8.GetBytes(body), type: type);

    private static string Structured(string id, string data) =>
        $$"""{"specversion":"1.0","type":"row.changed","source":"/shop","id":"{{id}}","time":"2025-07-19T10:00:00Z",{{data}}}""";
}
