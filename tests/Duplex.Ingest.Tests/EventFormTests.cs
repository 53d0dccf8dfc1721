using System.Net;
using Duplex.Sdk;

namespace Duplex.Ingest.Tests;

public sealed class EventFormTests
{
    [Theory]
    [InlineData("1", """["1"]""")]
    [InlineData("1.0", """["1"]""")]
    [InlineData("1e0", """["1"]""")]
    [InlineData("10E-1", """["1"]""")]
    [InlineData("-0", """["0"]""")]
    [InlineData("-5", """["-5"]""")]
    [InlineData("12345678901234567890123", """["12345678901234567890123"]""")]
    public async Task A_number_is_one_record_however_it_is_written(string posted, string key)
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(Events.Insert(posted))).ShouldBePublished("users");
        (await server.ReadAsync("users")).ShouldHaveSingleItem().Key.Json.ShouldBe(key);
    }

    [Theory]
    [InlineData("TKT 1", """["TKT 1"]""")]
    [InlineData("1.0", """["1.0"]""")]
    [InlineData("é", """["é"]""")]
    [InlineData("\\u00e9", """["é"]""")]
    [InlineData("a\\\"b\\\\c\\/d", """["a\"b\\c/d"]""")]
    public async Task A_text_stands_for_itself_however_it_is_escaped(string posted, string key)
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(
            $$"""{"event_type":"INSERT","table":"tickets","primary_key":{"ticket_id":"{{posted}}","x":9},"after":{} }"""))
            .ShouldBePublished("tickets");
        (await server.ReadAsync("tickets")).ShouldHaveSingleItem().Key.ShouldBe(RecordKey.FromJson(key));
    }

    [Theory]
    [InlineData("insert", ChangeOperation.Create)]
    [InlineData("Insert", ChangeOperation.Create)]
    [InlineData("c", ChangeOperation.Create)]
    [InlineData("create", ChangeOperation.Create)]
    [InlineData("update", ChangeOperation.Update)]
    [InlineData("u", ChangeOperation.Update)]
    [InlineData("delete", ChangeOperation.Delete)]
    [InlineData("d", ChangeOperation.Delete)]
    [InlineData("r", ChangeOperation.Read)]
    public async Task Operations_have_other_spellings_too(string spelling, ChangeOperation operation)
    {
        await using var server = await IngestServer.StartAsync();
        var body =
            $$"""{"event_type":"{{spelling}}","table":"users","primary_key":{"id":7},"before":{"id":7},"after":{"id":7} }""";
        (await server.PostAsync(body)).ShouldBePublished("users");
        var change = (await server.ReadAsync("users")).ShouldHaveSingleItem();
        change.Operation.ShouldBe(operation);
        change.Key.Json.ShouldBe("""["7"]""");
    }

    [Theory]
    [InlineData("""{"op":"u","before":{"id":7,"name":"a"},"after":{"id":7,"name":"b"},"source":{"table":"users","ts_ms":1752919200123},"ts_ms":5}""")]
    [InlineData("""{"schema":{"type":"struct"},"payload":{"op":"u","before":{"id":7,"name":"a"}"""
        + ""","after":{"id":7,"name":"b"},"source":{"table":"users","ts_us":1752919200123000},"ts_ms":5}}""")]
    [InlineData("""{"op":"u","table":"users","primary_key":{"id":7.0},"before":{"id":7,"name":"a"},"after":{"id":7,"name":"b"},"ts_ns":1752919200123000000}""")]
    public async Task Envelopes_of_Debezium_are_taken(string body)
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(body)).ShouldBePublished("users");
        var change = (await server.ReadAsync("users")).ShouldHaveSingleItem();
        change.Operation.ShouldBe(ChangeOperation.Update);
        change.Key.Json.ShouldBe("""["7"]""");
        change.Before!.ToString().ShouldBe("""{"id":7,"name":"a"}""");
        change.After!.ToString().ShouldBe("""{"id":7,"name":"b"}""");
        change.SourceMicros.ShouldBe(1752919200123000);
    }

    [Theory]
    [InlineData("""{"op":"u","before":null,"after":{"id":7},"source":{"table":"users"}}""",
        "Schema validation failed: Validation failed: 'before' is a required property")]
    [InlineData("""{"op":"c","before":null,"after":{"id":"7"},"source":{"table":"users"}}""",
        "Schema validation failed: Validation failed: '7' is not of type 'integer'")]
    [InlineData("""{"op":"c","after":{"id":7}}""", "Missing table field")]
    public async Task Envelopes_are_held_to_the_same_schema(string body, string detail)
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(body)).ShouldBeRefused(detail);
        (await server.CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Deletes_and_their_image_are_kept()
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(
            """{"event_type":"DELETE","table":"users","primary_key":{"id":7},"before":{"id":7,"name":"a"},"version":12}"""))
            .ShouldBePublished("users");
        var change = (await server.ReadAsync("users")).ShouldHaveSingleItem();
        change.Operation.ShouldBe(ChangeOperation.Delete);
        change.After.ShouldBeNull();
        change.Before!.ToString().ShouldBe("""{"id":7,"name":"a"}""");
        change.Version.ShouldBe("12");
    }

    [Theory]
    [InlineData("7", "7")]
    [InlineData("12345678901234567890", "12345678901234567890")]
    [InlineData("\"2026-01-01T00:00:00Z/\\u00e9\"", "2026-01-01T00:00:00Z/é")]
    public async Task The_version_survives_as_text(string posted, string version)
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(Events.Insert("1", more: $",\"version\":{posted}"))).ShouldBePublished("users");
        (await server.ReadAsync("users")).ShouldHaveSingleItem().Version.ShouldBe(version);
    }

    [Theory]
    [InlineData("acme", "acme.users")]
    [InlineData("default", "users")]
    public async Task Tenants_have_topics_of_their_own(string tenant, string topic)
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(Events.Insert("1", more: $",\"tenant\":\"{tenant}\""))).ShouldBePublished("users");
        (await server.PostAsync(Events.Insert("2", more: $",\"org_id\":\"{tenant}\""))).ShouldBePublished("users");
        (await server.ReadAsync(topic)).Count.ShouldBe(2);
        (await server.CountAsync()).ShouldBe(2);
    }

    [Theory]
    [InlineData(",\"tenant\":\"a.b\"")]
    [InlineData(",\"tenant\":\"\"")]
    [InlineData(",\"tenant\":{}")]
    [InlineData(",\"version\":{}")]
    [InlineData(",\"event_id\":\"\"")]
    [InlineData(",\"event_id\":[1]")]
    public async Task What_this_server_reads_beside_the_schema_must_make_sense(string more)
    {
        await using var server = await IngestServer.StartAsync();
        var answer = await server.PostAsync(Events.Insert("1", more: more));
        answer.Status.ShouldBe(HttpStatusCode.BadRequest, answer.Text);
        (await server.CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_key_that_belongs_to_a_tenant_posts_for_that_tenant_alone()
    {
        await using var server = await IngestServer.StartAsync(server:
            ", api_keys: [{ name: poster, key: poster-key-0123456789, role: operator, tenant: acme }, "
            + "{ name: eyes, key: viewer-key-0123456789, role: viewer }]");
        (await server.PostAsync(Events.User)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await PostAsAsync("viewer-key-0123456789", "")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await PostAsAsync("poster-key-0123456789", ",\"tenant\":\"globex\"")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await server.CountAsync()).ShouldBe(0);
        (await PostAsAsync("poster-key-0123456789", "")).ShouldBePublished("users");
        (await server.ReadAsync("acme.users")).Count.ShouldBe(1);

        Task<Answer> PostAsAsync(string key, string more) => server.PostAsync("/sync",
            System.Text.Encoding.UTF8.GetBytes(Events.Insert("1", more: more)),
            headers: ("Authorization", $"Bearer {key}"));
    }

    [Fact]
    public async Task A_page_of_another_origin_cannot_post()
    {
        await using var server = await IngestServer.StartAsync();
        var answer = await server.PostAsync("/sync", System.Text.Encoding.UTF8.GetBytes(Events.User),
            headers: ("Origin", "https://evil.example"));
        answer.Status.ShouldBe(HttpStatusCode.Forbidden, answer.Text);
        (await server.CountAsync()).ShouldBe(0);
    }
}
