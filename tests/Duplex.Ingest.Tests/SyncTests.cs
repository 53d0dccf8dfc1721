using System.Net;
using System.Text;
using Duplex.Sdk;

namespace Duplex.Ingest.Tests;

public sealed class SyncTests
{
    [Fact]
    public async Task The_three_posts_of_the_manual_are_answered_and_stored_as_it_says()
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(Events.User)).ShouldBePublished("users");
        (await server.PostAsync(Events.Ticket)).ShouldBePublished("tickets");
        (await server.PostAsync(Events.Order)).ShouldBePublished("orders");

        var user = (await server.ReadAsync("users")).ShouldHaveSingleItem();
        user.Operation.ShouldBe(ChangeOperation.Create);
        user.Stream.ShouldBe("users");
        user.Key.Json.ShouldBe("""["1"]""");
        user.KeyFields!.ToString().ShouldBe("""{"id":1}""");
        user.After!.ToString().ShouldBe(
            """{"id":1,"name":"Ash Ketchup","email":"ash.ketchup@pokemon.com","created_at":"2025-07-19T10:00:00Z","updated_at":"2025-07-19T10:00:00Z"}""");
        user.Before.ShouldBeNull();
        user.SourceMicros.ShouldBe(1752919200000000);
        (await server.ReadAsync("tickets")).ShouldHaveSingleItem().Key.Json.ShouldBe("""["TKT-1001"]""");
        (await server.ReadAsync("orders")).ShouldHaveSingleItem().Key.Json.ShouldBe("""["ORD-1001"]""");
        (await server.Host.Engine.Parts.Log.DescribeAsync(CancellationToken.None))
            .Count(static p => p.Topic == "users").ShouldBe(3);
    }

    [Fact]
    public async Task Health_and_the_other_methods_answer_as_clients_expect()
    {
        await using var server = await IngestServer.StartAsync();
        (await server.Http.GetStringAsync("/health")).ShouldBe("""{"status":"healthy","service":"sync-service"}""");
        using var get = await server.Http.GetAsync("/sync");
        get.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("")]
    public async Task A_body_is_read_as_JSON_whatever_its_type_says(string type)
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(Events.User, type: type)).ShouldBePublished("users");
    }

    [Theory]
    [InlineData("""{"event_type":"INSERT"}""", "Missing table field")]
    [InlineData("""{"table":""}""", "Missing table field")]
    [InlineData("""{"table":7}""", "Missing table field")]
    [InlineData("""{"table":null}""", "Missing table field")]
    [InlineData("{}", "Missing table field")]
    [InlineData("""{"table":"invoices"}""",
        "Schema validation failed: Schema file not found: internal/invoices.json")]
    [InlineData("""{"table":"../external/customer-a/users"}""",
        "Schema validation failed: Schema file not found: internal/___external_customer-a_users.json")]
    [InlineData("""{"table":"users","event_type":"INSERT","after":{}}""",
        "Schema validation failed: Validation failed: 'primary_key' is a required property")]
    [InlineData("""{"table":"users","event_type":"INSERT","primary_key":{"id":"1"},"after":{}}""",
        "Schema validation failed: Validation failed: '1' is not of type 'integer'")]
    [InlineData("""{"table":"users","event_type":"PURGE","primary_key":{"id":1},"after":{}}""",
        "Schema validation failed: Validation failed: 'PURGE' is not one of ['INSERT', 'UPDATE', 'DELETE']")]
    [InlineData("""{"table":"users","event_type":"INSERT","primary_key":{"id":1}}""",
        "Schema validation failed: Validation failed: 'after' is a required property")]
    public async Task What_is_wrong_is_told_in_the_words_that_clients_know(string body, string detail)
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(body)).ShouldBeRefused(detail);
        (await server.CountAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("[{}]")]
    [InlineData("7")]
    [InlineData("null")]
    [InlineData("{\"table\":\"users\"} x")]
    public async Task What_is_no_JSON_object_is_refused_as_a_fault_of_the_poster(string body)
    {
        await using var server = await IngestServer.StartAsync();
        var answer = await server.PostAsync(body);
        answer.Status.ShouldBe(HttpStatusCode.BadRequest, answer.Text);
        answer.Detail.ShouldNotBeNullOrWhiteSpace();
        answer.Json.GetProperty("code").GetString().ShouldBeOneOf("ingest.malformed", "ingest.no_object");
    }

    [Fact]
    public async Task A_body_of_the_limit_is_taken_and_one_byte_more_is_not()
    {
        await using var server = await IngestServer.StartAsync();
        var frame = Events.Insert("1", """{"name":""}""").Length;
        var fits = Events.Insert("1", $$"""{"name":"{{new string('x', (1 << 20) - frame)}}"}""");
        Encoding.UTF8.GetByteCount(fits).ShouldBe(1 << 20);
        (await server.PostAsync(fits)).ShouldBePublished("users");
        var answer = await server.PostAsync(fits + " ");
        answer.Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge, answer.Text);
        (await server.CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task The_limit_of_an_event_is_its_own_and_not_that_of_other_bodies()
    {
        await using var server = await IngestServer.StartAsync(ingest: ", max_body: 100kB", server: ", body_max: 4kB");
        (await server.PostAsync(Events.Insert("1", $$"""{"name":"{{new string('x', 50_000)}}"}""")))
            .ShouldBePublished("users");
    }

    [Fact]
    public async Task Images_are_carried_byte_for_byte()
    {
        await using var server = await IngestServer.StartAsync();
        var image = """{ "id" : 1,"name":"\u00e9\/é ","pi":3.14159265358979323846264338327950288,"big":1e400 , "deep":[[{"a":null}]] }""";
        (await server.PostAsync(Events.Insert("1", image))).ShouldBePublished("users");
        (await server.ReadAsync("users")).ShouldHaveSingleItem().After!.ToString().ShouldBe(image);
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_a_restart()
    {
        var folder = Directory.CreateTempSubdirectory("duplex-ingest-").FullName;
        await using (var server = await IngestServer.StartAsync(folder: folder))
        {
            (await server.PostAsync(Events.User)).ShouldBePublished("users");
        }

        await using (var again = await IngestServer.StartAsync(folder: folder))
        {
            (await again.ReadAsync("users")).Count.ShouldBe(1);
        }

        Directory.Delete(folder, recursive: true);
    }
}
