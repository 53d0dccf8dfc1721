using System.Net;
using System.Text;
using System.Text.Json;

namespace Duplex.Ingest.Tests;

public sealed class RepeatTests
{
    [Theory]
    [InlineData(",\"event_id\":\"evt-1\"", null)]
    [InlineData(",\"event_id\":17", null)]
    [InlineData(",\"id\":\"evt-1\"", null)]
    [InlineData("", "request-1")]
    public async Task A_repeat_is_answered_as_the_first_was_and_stored_once(string more, string? idempotencyKey)
    {
        await using var server = await IngestServer.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            (await server.PostAsync(Events.Insert("1", more: more), idempotencyKey)).ShouldBePublished("users");
        }

        (await server.CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task Repeats_are_known_after_a_restart_and_after_many_other_events()
    {
        var folder = Directory.CreateTempSubdirectory("duplex-ingest-").FullName;
        await using (var server = await IngestServer.StartAsync(folder: folder))
        {
            (await server.PostAsync(Events.Insert("1", more: ",\"event_id\":\"first\""))).ShouldBePublished("users");
            await Parallel.ForAsync(0, 500, async (i, _) =>
                (await server.PostAsync(Events.Insert($"{i}", more: $",\"event_id\":\"e{i}\"")))
                    .ShouldBePublished("users"));
        }

        await using (var server = await IngestServer.StartAsync(folder: folder))
        {
            (await server.PostAsync(Events.Insert("1", more: ",\"event_id\":\"first\""))).ShouldBePublished("users");
            (await server.CountAsync()).ShouldBe(501);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_member_id_that_names_the_record_does_not_make_its_next_change_a_repeat()
    {
        await using var server = await IngestServer.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            (await server.PostAsync(Events.Insert("7", more: ",\"id\":7"))).ShouldBePublished("users");
            (await server.PostAsync(Events.Insert("7", more: ",\"id\":\"7\""))).ShouldBePublished("users");
        }

        (await server.CountAsync()).ShouldBe(6);
    }

    [Fact]
    public async Task A_version_of_a_record_is_taken_once_whatever_its_form_and_operation()
    {
        await using var server = await IngestServer.StartAsync();
        foreach (var version in new[] { "7", "7.0", "\"7\"", "70e-1", "\"007\"" })
        {
            (await server.PostAsync(Events.Insert("1", more: $",\"version\":{version}"))).ShouldBePublished("users");
        }

        (await server.PostAsync(
            """{"event_type":"DELETE","table":"users","primary_key":{"id":1},"before":{},"version":7}""")).ShouldBePublished("users");
        foreach (var version in new[] { "70", "7e1", "\"2026-01-01T00:00:00Z\"", "\"2026-01-01T01:00:00.000+01:00\"" })
        {
            (await server.PostAsync(Events.Insert("1", more: $",\"version\":{version}"))).ShouldBePublished("users");
        }

        (await server.ReadAsync("users")).Select(static c => (c.Version, c.IsVersionNumber)).ShouldBe(
            [("7", true), ("70", true), ("2026-01-01T00:00:00Z", false)]);
    }

    [Theory]
    [InlineData("\"7.0\"")]
    [InlineData("\"v7\"")]
    [InlineData("8")]
    [InlineData("-7")]
    public async Task Another_version_is_no_repeat(string version)
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(Events.Insert("1", more: ",\"version\":7"))).ShouldBePublished("users");
        (await server.PostAsync(Events.Insert("1", more: $",\"version\":{version}"))).ShouldBePublished("users");
        (await server.CountAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task The_same_version_of_another_record_table_or_tenant_is_no_repeat()
    {
        await using var server = await IngestServer.StartAsync();
        const string ticket =
            """{"event_type":"INSERT","table":"tickets","primary_key":{"ticket_id":"1"},"after":{},"version":7}""";
        for (var i = 0; i < 2; i++)
        {
            (await server.PostAsync(Events.Insert("1", more: ",\"version\":7"))).ShouldBePublished("users");
            (await server.PostAsync(Events.Insert("2", more: ",\"version\":7"))).ShouldBePublished("users");
            (await server.PostAsync(Events.Insert("1", more: ",\"version\":7,\"tenant\":\"acme\""))).ShouldBePublished("users");
            (await server.PostAsync(ticket)).ShouldBePublished("tickets");
        }

        (await server.CountAsync()).ShouldBe(4);
    }

    [Theory]
    [InlineData(",\"event_id\":\"{0}\"", null)]
    [InlineData("", "request-{0}")]
    public async Task An_id_goes_before_the_version(string more, string? idempotencyKey)
    {
        await using var server = await IngestServer.StartAsync();
        for (var i = 0; i < 4; i++)
        {
            var id = $"{i % 2}";
            (await server.PostAsync(Events.Insert("1", more: ",\"version\":7" + more.Replace("{0}", id)),
                idempotencyKey?.Replace("{0}", id))).ShouldBePublished("users");
        }

        (await server.CountAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task A_key_that_named_another_body_is_refused_also_after_a_restart()
    {
        const string reused = "The Idempotency-Key was used before with another body.";
        var folder = Directory.CreateTempSubdirectory("duplex-ingest-").FullName;
        var first = Events.Insert("1", """{"name":"Ash"}""");
        for (var round = 0; round < 2; round++)
        {
            await using var server = await IngestServer.StartAsync(folder: folder);
            (await server.PostAsync(first, "request-1")).ShouldBePublished("users");
            foreach (var other in new[]
            {
                Events.Insert("1", """{"name":"Misty"}"""), Events.Insert("2", """{"name":"Ash"}"""),
                Events.Insert("1", """{"name":"Ash"}""", ",\"event_id\":\"e-1\""), first.Replace("INSERT", "insert"),
            })
            {
                var answer = await server.PostAsync(other, "request-1");
                answer.ShouldBeRefused(reused, HttpStatusCode.UnprocessableEntity);
                answer.Json.GetProperty("code").GetString().ShouldBe("ingest.key_reused");
                answer.Json.GetProperty("field").GetString().ShouldBe("Idempotency-Key");
            }

            (await server.PostAsync(first, "request-1")).ShouldBePublished("users");
            (await server.CountAsync()).ShouldBe(1);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_key_whose_event_was_refused_is_free()
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(Events.Insert("\"x\""), "request-1")).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await server.PostAsync(Events.Insert("1"), "request-1")).ShouldBePublished("users");
        (await server.PostAsync(Events.Insert("2"), "request-1")).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await server.PostAsync(Events.Insert("1"), "request-2")).ShouldBePublished("users");
        (await server.CountAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task A_key_of_one_tenant_or_table_is_no_other_s()
    {
        await using var server = await IngestServer.StartAsync();
        (await server.PostAsync(Events.Insert("1"), "request-1")).ShouldBePublished("users");
        (await server.PostAsync(Events.Insert("1", more: ",\"tenant\":\"acme\""), "request-1")).ShouldBePublished("users");
        (await server.PostAsync(Events.Ticket, "request-1")).ShouldBePublished("tickets");
        (await server.CountAsync()).ShouldBe(3);
    }

    [Theory]
    [InlineData("{0},{1},{2}", 3, null)]
    [InlineData("{0},{3},{2}", 3, 1)]
    [InlineData("{0},{1},{2},{3}", 3, 2)]
    [InlineData("{0},{1}", 3, 1)]
    [InlineData("{1},{0},{2}", 3, 0)]
    public async Task A_list_under_a_key_that_named_another_list_is_refused(string second, int stored, int? differs)
    {
        await using var server = await IngestServer.StartAsync();
        var lines = Enumerable.Range(0, 4).Select(static i => Events.Insert($"{i}")).ToArray();
        (await PostListAsync(server, "{0},{1},{2}", lines)).Status.ShouldBe(HttpStatusCode.OK);
        var answer = await PostListAsync(server, second, lines);
        if (differs is { } index)
        {
            answer.ShouldBeRefused(
                $"The Idempotency-Key was used before with another body: event {index} differs.",
                HttpStatusCode.UnprocessableEntity);
            answer.Json.GetProperty("published").GetInt32().ShouldBe(0);
            answer.Json.GetProperty("results").EnumerateArray()
                .ShouldAllBe(static r => r.GetProperty("code").GetString() == "ingest.key_reused");
        }
        else
        {
            answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        }

        (await server.CountAsync()).ShouldBe(stored);
    }

    [Theory]
    [InlineData(2_000)]
    [InlineData(2_500)]
    public async Task A_long_list_that_was_cut_goes_on_under_its_key_and_ends_where_it_ended(int count)
    {
        await using var server = await IngestServer.StartAsync();
        var lines = Enumerable.Range(0, count + 1).Select(static i => Events.Insert($"{i}")).ToArray();
        var list = string.Join(',', Enumerable.Range(0, count).Select(static i => $"{{{i}}}"));
        var cut = await server.PostAsync("/sync/batch", Encoding.UTF8.GetBytes($"[{string.Join(',', lines[..1500])}"), "list-1");
        cut.Status.ShouldBe(HttpStatusCode.BadRequest);
        for (var i = 0; i < 2; i++)
        {
            (await PostListAsync(server, list, lines)).Status.ShouldBe(HttpStatusCode.OK);
            (await server.CountAsync()).ShouldBe(count);
        }

        (await PostListAsync(server, $"{list},{{{count}}}", lines)).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await server.CountAsync()).ShouldBe(count);
    }

    [Theory]
    [InlineData("application/cloudevents+json", "{0}", "{1}")]
    [InlineData("application/cloudevents-batch+json", "[{0}]", "[{1}]")]
    public async Task A_key_of_a_cloud_event_stands_for_it_alone(string type, string first, string second)
    {
        await using var server = await IngestServer.StartAsync();
        foreach (var (form, status) in new[] { (first, 200), (first, 200), (second, 422) })
        {
            var body = form.Replace("{0}", Cloud("1", 1)).Replace("{1}", Cloud("2", 1));
            ((int)(await server.PostAsync("/events", Encoding.UTF8.GetBytes(body), "request-1", type)).Status).ShouldBe(status);
        }

        (await server.CountAsync()).ShouldBe(1);

        static string Cloud(string id, int user) =>
            $$$"""{"specversion":"1.0","type":"t","source":"/s","id":"{{{id}}}","data":{{{Events.Insert($"{user}")}}}}""";
    }

    [Fact]
    public async Task A_key_stands_for_a_cloud_event_s_headers_too()
    {
        await using var server = await IngestServer.StartAsync();
        foreach (var (id, status) in new[] { ("1", 200), ("1", 200), ("2", 422) })
        {
            var answer = await server.PostAsync("/events", Encoding.UTF8.GetBytes(Events.User), "request-1", "application/json",
                ("ce-specversion", "1.0"), ("ce-type", "t"), ("ce-source", "/s"), ("ce-id", id));
            ((int)answer.Status).ShouldBe(status);
        }

        (await server.CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task An_id_with_characters_of_the_log_s_own_names_is_an_id_like_any()
    {
        await using var server = await IngestServer.StartAsync();
        foreach (var id in new[] { "a", "a\\u001fb", "a\\u001eb", "a\\u001fc", "a\\u001fb" })
        {
            (await server.PostAsync(Events.Insert("1", more: $",\"event_id\":\"{id}\""))).ShouldBePublished("users");
        }

        (await server.CountAsync()).ShouldBe(4);
    }

    private static Task<Answer> PostListAsync(IngestServer server, string form, string[] lines)
    {
        var body = new StringBuilder("[");
        foreach (var place in form.Split(','))
        {
            body.Append(body.Length > 1 ? "," : "").Append(lines[int.Parse(place.Trim('{', '}'), null)]);
        }

        return server.PostAsync("/sync/batch", Encoding.UTF8.GetBytes(body.Append(']').ToString()), "list-1");
    }

    [Fact]
    public async Task Repeats_that_come_at_once_are_stored_once()
    {
        await using var server = await IngestServer.StartAsync();
        await Parallel.ForAsync(0, 100, async (i, _) =>
            (await server.PostAsync(Events.Insert($"{i % 5}", more: $",\"event_id\":\"{i % 5}\"")))
                .ShouldBePublished("users"));
        (await server.CountAsync()).ShouldBe(5);
    }
}
