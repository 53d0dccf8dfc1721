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
    public async Task Repeats_that_come_at_once_are_stored_once()
    {
        await using var server = await IngestServer.StartAsync();
        await Parallel.ForAsync(0, 100, async (i, _) =>
            (await server.PostAsync(Events.Insert($"{i % 5}", more: $",\"event_id\":\"{i % 5}\"")))
                .ShouldBePublished("users"));
        (await server.CountAsync()).ShouldBe(5);
    }
}
