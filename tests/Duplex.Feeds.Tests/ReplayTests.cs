using System.Text;
using System.Text.Json;
using Duplex.Conformance;
using Duplex.Engine.Feeds;
using Duplex.Engine.Registry;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Feeds.Tests;

/// <summary>Parts of the log that are sent to a feed again.</summary>
public sealed class ReplayTests
{
    private const string Names = "rules: [ { a: id, b: id }, { a: name, b: name } ]";
    private const string Others = "rules: [ { a: id, b: number }, { a: name, b: name } ]";

    private static readonly ReplayScope All = new(null, null, null, null, null);

    [Fact]
    public async Task One_record_is_sent_again_in_its_order_and_in_the_form_that_is_active_now()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "a"), (2, "x"), (1, "b"), (1, "c"));
        await bed.UntilAsync("c", 4);
        await bed.Engine.Registry.Mappings.PutMappingAsync("c", "users", Others, new DocumentNote("tests", true), default);
        await bed.Engine.Registry.Replays.StartReplayAsync("c", All with { Key = RecordKey.Of("1") }, default);
        var replay = await EndAsync(bed);
        (replay.State, replay.Sent, replay.Refused).ShouldBe(("done", 3, 0));
        (await bed.ReadAsync("c")).Skip(4).ShouldBe(
            ["""5 users {"number":1,"name":"a"}""", """6 users {"number":1,"name":"b"}""", """7 users {"number":1,"name":"c"}"""]);
    }

    [Fact]
    public async Task A_range_of_offsets_is_followed_by_what_is_newer_of_its_records()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "old"));
        await bed.UntilAsync("c", 1);
        var at = (await bed.Feeds.ReadAsync("c", 0, 1, null, default))[0];
        var partition = int.Parse(at.Source.Split('/')[1], System.Globalization.CultureInfo.InvariantCulture);
        await bed.PostAsync("users", (2, "x"), (1, "new"), (3, "y"));
        await bed.UntilAsync("c", 4);
        await bed.Engine.Registry.Replays.StartReplayAsync("c", All with
        {
            Table = "users",
            Offsets = new Dictionary<int, (long?, long?)> { [partition] = (at.SourceOffset, at.SourceOffset + 1) },
        }, default);
        (await EndAsync(bed)).Changes.ShouldBe(1);
        (await bed.ReadAsync("c")).Skip(4).ShouldBe(["""5 users {"id":1,"name":"old"}""", """6 users {"id":1,"name":"new"}"""]);
    }

    [Fact]
    public async Task A_range_of_time_is_sent_again()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "before"));
        await bed.UntilAsync("c", 1);
        var from = await LaterAsync();
        await bed.PostAsync("users", (2, "in"));
        await bed.UntilAsync("c", 2);
        var to = await LaterAsync();
        await bed.PostAsync("users", (3, "after"));
        await bed.UntilAsync("c", 3);
        await bed.Engine.Registry.Replays.StartReplayAsync("c", All with { From = from, To = to }, default);
        (await EndAsync(bed)).Sent.ShouldBe(1);
        (await bed.ReadAsync("c"))[3].ShouldBe("""4 users {"id":2,"name":"in"}""");
    }

    [Fact]
    public async Task Under_load_and_over_restarts_everything_is_sent_once_and_the_last_word_stays_the_last()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        const int keys = 200;
        const int rounds = 30;
        for (var round = 0; round < rounds; round++)
        {
            await bed.PostAsync("users", [.. Enumerable.Range(0, keys).Select(k => (k, $"v{round:D3}"))]);
        }

        await bed.UntilAsync("c", keys * rounds);
        var replay = await bed.Engine.Registry.Replays.StartReplayAsync("c", All, default);
        (await Should.ThrowAsync<RegistryException>(() => bed.Engine.Registry.Replays.StartReplayAsync("c", All, default)))
            .Code.ShouldBe("replay.running");
        for (var round = rounds; round < rounds + 10; round++)
        {
            await bed.PostAsync("users", [.. Enumerable.Range(0, keys).Select(k => (k, $"v{round:D3}"))]);
            if (round % 3 == 0)
            {
                await bed.StopAsync();
                await bed.StartAsync();
            }
        }

        (await EndAsync(bed)).State.ShouldBe("done");
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().Behind == 0);
        var feed = await bed.Feeds.ReadAsync("c", 0, 100_000, null, default);
        feed.Select(static r => (r.Source, r.SourceOffset)).Distinct().Count().ShouldBe(feed.Count);
        feed.Where(r => r.Source.StartsWith($"replay/{replay.Id}/", StringComparison.Ordinal)).Count()
            .ShouldBeGreaterThanOrEqualTo(keys * rounds);
        feed.Count(static r => r.Source.StartsWith("users/", StringComparison.Ordinal)).ShouldBe(keys * (rounds + 10));
        foreach (var record in feed.GroupBy(static r => Encoding.UTF8.GetString(r.Key.Span)))
        {
            Name(record.Last()).ShouldBe($"v{rounds + 9:D3}");
            foreach (var source in record.GroupBy(static r => r.Source))
            {
                var names = source.Select(Name).ToList();
                names.ShouldBe([.. names.Order(StringComparer.Ordinal)]);
            }
        }
    }

    [Fact]
    public async Task A_cancelled_replay_leaves_no_old_state_as_the_last_word()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        for (var round = 0; round < 60; round++)
        {
            await bed.PostAsync("users", [.. Enumerable.Range(0, 300).Select(k => (k, $"v{round:D3}"))]);
        }

        await bed.UntilAsync("c", 18_000);
        (await bed.Engine.Registry.Replays.CancelReplayAsync("c", default)).ShouldBeFalse();
        await bed.Engine.Registry.Replays.StartReplayAsync("c", All, default);
        await bed.Engine.Registry.Replays.CancelReplayAsync("c", default);
        (await EndAsync(bed)).State.ShouldBeOneOf("cancelled", "done");
        foreach (var record in (await bed.Feeds.ReadAsync("c", 0, 100_000, null, default))
            .GroupBy(static r => Encoding.UTF8.GetString(r.Key.Span)))
        {
            Name(record.Last()).ShouldBe("v059");
        }
    }

    [Fact]
    public async Task What_a_replay_refuses_is_parked_unless_a_younger_state_of_the_record_comes_through()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "bad"), (2, "bad"), (3, "good"), (1, "good"), (4, "good"), (4, "bad"));
        await bed.UntilAsync("c", 6);
        const string strict = """{"properties":{"name":{"not":{"const":"bad"}}}}""";
        await bed.Engine.Registry.Schemas.PutSchemaAsync("c", "users", strict, new SchemaNote("tests", false), default);
        await bed.Engine.Registry.Replays.StartReplayAsync("c", All, default);
        var replay = await EndAsync(bed);
        (replay.State, replay.Sent, replay.Refused).ShouldBe(("done", 3, 3));
        var letters = await bed.Engine.Parts.Store.ListDeadLettersAsync("default/c", 0, 10, default);
        letters.Select(static l => l.Key.Json).Order().ShouldBe(["[\"2\"]", "[\"4\"]"]);
        letters.ShouldAllBe(static l => l.Error.Message.Contains("'bad' should not be valid"));
        (await bed.StatusAsync("c")).DeadLetters.ShouldBe(2);

        await bed.Engine.Registry.Schemas.PutSchemaAsync("c", "users", "{}", new SchemaNote("tests", true), default);
        (await bed.Engine.ReplayAsync([letters.Single(static l => l.Key == RecordKey.Of("2")).Id], default)).ShouldBe(1);
        (await bed.ReadAsync("c"))[^1].ShouldBe("""10 users {"id":2,"name":"bad"}""");
        await bed.Engine.Registry.Replays.StartReplayAsync("c", All, default);
        (await EndAsync(bed)).Refused.ShouldBe(0);
        (await bed.StatusAsync("c")).DeadLetters.ShouldBe(0, "4 has come through");
    }

    [Fact]
    public async Task A_dead_letter_is_replayed_in_the_moment_of_the_start()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", null, FeedBed.SchemaWithout("bad"),
            ("users", "rules: [ { a: id, b: id }, { a: name, b: fullName } ]"));
        await bed.StartAsync();
        await bed.PostAsync("users", [.. Enumerable.Range(0, 10).Select(static i => (i, "bad"))]);
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().DeadLetters == 10);
        var letters = await bed.Engine.Parts.Store.ListDeadLettersAsync("default/c", 0, 10, default);
        bed.Customer("c", tables: ("users", Names));
        foreach (var letter in letters)
        {
            await bed.StopAsync();
            await bed.StartAsync();
            (await bed.Engine.ReplayAsync([letter.Id], default)).ShouldBe(1);
        }
    }

    [Fact]
    public async Task A_dead_letter_that_nobody_can_take_up_is_refused_with_the_reason()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", Names));
        await bed.StartAsync();
        await bed.Store.CommitAsync(new StateMutation.PutDeadLetter(new DeadLetter(0, new LegId("default/gone", Side.A),
            RecordKey.Of("1"), "{}"u8.ToArray(), 0, 1, 1, new SyncError(ErrorCode.MappingFailed, "refused"))));
        var letter = (await bed.Store.ListDeadLettersAsync(null, 0, 1, default)).Single();
        var refused = await Should.ThrowAsync<RegistryException>(() => bed.Engine.ReplayAsync([letter.Id], default).AsTask());
        (refused.Fault, refused.Code).ShouldBe((RegistryFault.Conflict, "dead_letter.no_leg"));
        refused.Message.ShouldContain("default/gone");
    }

    /// <summary>An instant whose millisecond nothing that was done before shares, nor anything that is done after.</summary>
    private static async Task<DateTimeOffset> LaterAsync()
    {
        var before = TimeProvider.System.GetUtcNow();
        var instant = before + TimeSpan.FromMilliseconds(5);
        await Eventually.BecomesAsync(() => TimeProvider.System.GetUtcNow() > instant + TimeSpan.FromMilliseconds(5));
        return instant;
    }

    private static async Task<ReplayView> EndAsync(FeedBed bed)
    {
        ReplayView? replay = null;
        await Eventually.BecomesAsync(() =>
        {
            replay = bed.Engine.Registry.Replays.ReplayAsync("c", default).GetAwaiter().GetResult();
            return replay is { State: not ("running" or "cancelling") };
        });
        return replay!;
    }

    private static string Name(FeedRecord record) => JsonElement.Parse(record.Data.Span).GetProperty("name").GetString()!;
}
