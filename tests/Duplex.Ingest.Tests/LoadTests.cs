using System.Collections.Concurrent;
using System.Net;
using Duplex.Storage.Embedded;

namespace Duplex.Ingest.Tests;

public sealed class LoadTests
{
    [Fact]
    public async Task Posts_of_one_record_keep_their_order_while_others_are_posted()
    {
        await using var server = await IngestServer.StartAsync();
        await Parallel.ForAsync(0, 24, new ParallelOptions { MaxDegreeOfParallelism = 24 }, async (key, _) =>
        {
            for (var version = 0; version < 40; version++)
            {
                (await server.PostAsync(Events.Insert($"{key}", more: $",\"version\":{version}")))
                    .ShouldBePublished("users");
            }
        });
        var changes = await server.ReadAsync("users");
        changes.Count.ShouldBe(24 * 40);
        foreach (var record in changes.GroupBy(static c => c.Key))
        {
            record.Select(static c => c.Version).ShouldBe(Enumerable.Range(0, 40).Select(static v => $"{v}"));
        }
    }

    [Fact]
    public async Task Too_much_at_once_is_turned_away_to_come_again()
    {
        await using var server = await IngestServer.StartAsync(ingest: ", max_in_flight: 2kB");
        var answer = await server.PostAsync(Events.Insert("1", $$"""{"name":"{{new string('x', 3_000)}}"}"""));
        answer.Status.ShouldBe(HttpStatusCode.TooManyRequests, answer.Text);
        answer.RetryAfter.ShouldNotBeNull();
        answer.Detail.ShouldNotBeNullOrWhiteSpace();
        // Nothing stays counted of what was turned away.
        for (var i = 0; i < 50; i++)
        {
            (await server.PostAsync(Events.User)).ShouldBePublished("users");
        }
    }

    [SkippableFact]
    public async Task A_full_disk_is_told_as_such_loses_nothing_acknowledged_and_is_over_with_room()
    {
        using var disk = new SmallDisk(24);
        await using var server = await IngestServer.StartAsync(folder: disk.Root);
        (await server.PostAsync(Events.User)).ShouldBePublished("users");
        disk.FillUpTo(2 << 20);
        var acknowledged = 1;
        Answer answer;
        var image = $$"""{"name":"{{new string('x', 200_000)}}"}""";
        do
        {
            answer = await server.PostAsync(Events.Insert("2", image));
            acknowledged += answer.Status == HttpStatusCode.OK ? 1 : 0;
        }
        while (answer.Status == HttpStatusCode.OK);

        answer.Status.ShouldBe(HttpStatusCode.ServiceUnavailable, answer.Text);
        answer.RetryAfter.ShouldNotBeNull();
        answer.Detail.ShouldStartWith("Failed to publish to Kafka: ");
        answer.Text.ShouldNotContain(disk.Root);
        var batch = await server.PostAsync("/sync/batch", System.Text.Encoding.UTF8.GetBytes($"[{Events.User}]"));
        batch.Status.ShouldBe(HttpStatusCode.ServiceUnavailable, batch.Text);
        batch.Json.GetProperty("published").GetInt32().ShouldBe(0);

        disk.MakeRoom();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while ((await server.PostAsync(Events.User)).Status != HttpStatusCode.OK)
        {
            deadline.Token.ThrowIfCancellationRequested();
        }

        (await server.CountAsync()).ShouldBe(acknowledged + 1);
    }

    [Fact]
    public async Task Kills_under_load_lose_nothing_acknowledged_store_nothing_twice_and_keep_the_order()
    {
        const int posters = 12, events = 150;
        await using var server = new KilledServer();
        server.Start();
        await server.UntilHealthyAsync();
        var done = 0;
        var posting = Task.WhenAll(Enumerable.Range(0, posters).Select(key => Task.Run(async () =>
        {
            for (var version = 0; version < events; version++)
            {
                await server.PostUntilTakenAsync(
                    Events.Insert($"{key}", more: $",\"version\":{version},\"event_id\":\"{key}-{version}\""));
                Interlocked.Increment(ref done);
            }
        })));
        for (var kill = 1; kill <= 3; kill++)
        {
            var enough = posters * events * kill / 4;
            await server.UntilAsync(() => Volatile.Read(ref done) >= enough);
            await server.KillAsync();
            server.Start();
        }

        await posting;
        await server.KillAsync();
        await using var log = await EmbeddedChangeLog.OpenAsync(Path.Combine(server.Folder, "data"));
        var changes = await IngestServer.ReadAsync(log, "users");
        changes.Count.ShouldBe(posters * events);
        foreach (var record in changes.GroupBy(static c => c.Key))
        {
            record.Select(static c => c.Version).ShouldBe(Enumerable.Range(0, events).Select(static v => $"{v}"));
        }
    }
}
