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
    public async Task Repeats_that_come_at_once_are_stored_once()
    {
        await using var server = await IngestServer.StartAsync();
        await Parallel.ForAsync(0, 100, async (i, _) =>
            (await server.PostAsync(Events.Insert($"{i % 5}", more: $",\"event_id\":\"{i % 5}\"")))
                .ShouldBePublished("users"));
        (await server.CountAsync()).ShouldBe(5);
    }
}
