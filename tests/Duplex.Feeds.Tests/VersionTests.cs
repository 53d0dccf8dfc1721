using System.Text;
using Duplex.Conformance;
using Duplex.Engine.Config;
using Duplex.Engine.Registry;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Feeds.Tests;

/// <summary>An older event never overwrites a newer one.</summary>
public sealed class VersionTests
{
    private const string Names = "rules: [ { a: id, b: id }, { a: name, b: fullName } ]";
    private static readonly FeedStart Earliest = new(FeedStartKind.Earliest);

    /// <summary>What is posted of one record, in this order, and what of it reaches the feed. Texts stand in quotes; a dash is no
    /// version.</summary>
    [Theory]
    [InlineData("1 3 2", "1 3")]
    [InlineData("1 2 3", "1 2 3")]
    [InlineData("3 2 1 4", "3 4")]
    [InlineData("- - -", "- - -")]
    [InlineData("2 - 1 3", "2 - 3")]
    [InlineData("5 5", "5 5")]
    [InlineData("10 9", "10")]
    [InlineData("'10' '9' 11 '010'", "'10' 11")]
    [InlineData("9007199254740993 9007199254740992 9007199254740994", "9007199254740993 9007199254740994")]
    [InlineData("1e400 9e399 1.0e400", "1e400 1.0e400")]
    [InlineData("-1 -2 0 -0.5", "-1 0")]
    [InlineData("1.10 1.9 1.11", "1.10 1.9")]
    [InlineData("'1.10' '1.9' '1.11'", "'1.10' '1.9' '1.11'")]
    [InlineData("'b' 'a' 'c'", "'b' 'a' 'c'")]
    [InlineData("'2026-01-01T00:00:00Z' '2026-01-01T00:30:00+01:00' '2026-01-01T01:00:00+01:00'",
        "'2026-01-01T00:00:00Z' '2026-01-01T01:00:00+01:00'")]
    [InlineData("'2026-01-01T00:00:00.1234567891Z' '2026-01-01T00:00:00.123456789Z' '2026-01-01T00:00:00.13Z'",
        "'2026-01-01T00:00:00.1234567891Z' '2026-01-01T00:00:00.13Z'")]
    [InlineData("'2026-03-01T00:00:00Z' '2026-02-28T23:59:59Z' '2024-02-29T00:00:00Z'", "'2026-03-01T00:00:00Z'")]
    [InlineData("'2026-01-01T00:00:00Z' 5 4", "'2026-01-01T00:00:00Z' 5")]
    [InlineData("5 'x' 4 3", "5 'x' 4")]
    public async Task What_is_older_than_what_came_before_it_is_left_out(string posted, string expected)
    {
        await using var bed = new FeedBed();
        bed.Customer("c", Earliest, tables: ("users", Names));
        await bed.StartAsync();
        foreach (var version in posted.Split(' '))
        {
            await bed.PostAsync("users", new Versioned(1, "n", version));
            await bed.PostAsync("users", new Versioned(2, "control", "-"));
        }

        var (all, taken) = (posted.Split(' ').Length, expected.Split(' '));
        await bed.UntilAsync("c", all + taken.Length);
        (await VersionsAsync(bed)).ShouldBe([.. taken.Select(static v => v == "-" ? null : v.Trim('\''))]);
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().Superseded == all - taken.Length);
        (await bed.StatusAsync("c")).DeadLetters.ShouldBe(0);
    }

    [Fact]
    public async Task A_page_decides_as_one_change_after_the_other_does()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", Earliest, tables: [("users", Names), ("orders", Names)]);
        await bed.StartAsync();
        await bed.PostAsync("users", [.. Enumerable.Range(0, 3000).SelectMany(static i =>
            new[] { new Versioned(i, "one", "1"), new Versioned(i, "three", "3"), new Versioned(i, "two", "2") })]);
        await bed.UntilAsync("c", 6000);
        await bed.PostAsync("users", [.. Enumerable.Range(0, 3000).Select(static i => new Versioned(i, "two", "2"))]);
        await bed.PostAsync("orders", [.. Enumerable.Range(0, 3000).Select(static i => new Versioned(i, "one", "1"))]);
        await bed.UntilAsync("c", 9000);
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().Superseded == 6000);
        var records = await bed.Feeds.ReadAsync("c", 0, 10_000, null, default);
        records.Where(static r => r.Table == "users").GroupBy(static r => Encoding.UTF8.GetString(r.Key.Span))
            .ShouldAllBe(static g => string.Concat(g.Select(static r => r.Version)) == "13");
    }

    [Fact]
    public async Task A_delete_is_not_undone_by_an_older_update()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", Earliest, tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", new Versioned(1, "Ada", "3"), new Versioned(1, "Ada", "5") { Operation = ChangeOperation.Delete },
            new Versioned(1, "late", "4"), new Versioned(1, "again", "6"));
        await bed.UntilAsync("c", 3);
        (await bed.Feeds.ReadAsync("c", 0, 10, null, default)).Select(static r => (r.Operation, r.Version)).ShouldBe(
            [(ChangeOperation.Update, "3"), (ChangeOperation.Delete, "5"), (ChangeOperation.Update, "6")]);
    }

    [Fact]
    public async Task What_is_left_out_is_on_the_timeline_of_its_record()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", Earliest, tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", new Versioned(1, "new", "7"), new Versioned(1, "old", "6"));
        await bed.UntilAsync("c", 1);
        await Eventually.BecomesAsync(() => LinesAsync(bed).GetAwaiter().GetResult().Count == 1);
        var line = (await LinesAsync(bed))[0];
        line.Kind.ShouldBe(TimelineKind.Superseded);
        Encoding.UTF8.GetString(line.Detail.Span).ShouldContain("Version 6 came after version 7");
    }

    [Fact]
    public async Task A_parked_change_is_not_settled_by_an_older_one()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", Earliest, FeedBed.SchemaWithout("bad"), ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", new Versioned(1, "bad", "5"), new Versioned(2, "bad", "-"), new Versioned(3, "bad", "5"));
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().DeadLetters == 3);
        await bed.PostAsync("users", new Versioned(1, "older", "4"), new Versioned(2, "younger", "-"), new Versioned(3, "younger", "6"));
        await bed.UntilAsync("c", 2);
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult() is { DeadLetters: 1, Superseded: 1 });
        (await bed.Engine.Parts.Store.ListDeadLettersAsync("default/c", 0, 10, default)).ShouldHaveSingleItem().Key.ShouldBe(RecordKey.Of("1"));
        (await bed.ReadAsync("c")).ShouldAllBe(static r => r.Contains("younger"));
    }

    [Fact]
    public async Task It_is_known_after_a_restart_and_gone_with_the_customer()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", Earliest, tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", new Versioned(1, "three", "3"));
        await bed.UntilAsync("c", 1);
        await bed.StopAsync();
        await bed.StartAsync();
        await bed.PostAsync("users", new Versioned(1, "two", "2"), new Versioned(1, "four", "4"));
        await bed.UntilAsync("c", 2);
        (await VersionsAsync(bed)).ShouldBe(["3", "4"]);
    }

    /// <summary>The positions of the feed cannot be stored, and with them nothing of what was learnt: the log is read again.</summary>
    [Fact]
    public async Task A_crash_between_append_and_commit_decides_the_same_again()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", Earliest, tables: ("users", Names));
        await bed.StartAsync();
        bed.Commits.Fail(static c => c.Positions.Count > 0);
        await bed.PostAsync("users", new Versioned(1, "one", "1"), new Versioned(1, "three", "3"), new Versioned(1, "two", "2"));
        await bed.UntilAsync("c", 2);
        await bed.StopAsync();
        bed.Commits.Failed.ShouldBeGreaterThan(0);
        bed.Commits.Fail(static _ => false);
        await bed.StartAsync();
        (await bed.Engine.Parts.Store.FindVersionsAsync(new LegId("default/c", Side.A), "users", [RecordKey.Of("1")], default))
            .ShouldBe([null], "nothing is known that the position does not follow from");
        await bed.PostAsync("users", new Versioned(1, "two", "2"), new Versioned(1, "four", "4"));
        await bed.UntilAsync("c", 3);
        (await VersionsAsync(bed)).ShouldBe(["1", "3", "4"]);
        await bed.StopAsync();
        await bed.StartAsync();
        (await LinesAsync(bed)).Count.ShouldBe(2, "each change that was left out has one line");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_while_a_dead_letter_is_being_recorded_does_not_lose_it(bool hang)
    {
        await using var bed = new FeedBed();
        bed.Customer("c", Earliest, FeedBed.SchemaWithout("bad"), ("users", Names));
        await bed.StartAsync();
        bed.Commits.Fail(static c => c.Mutations.Exists(static m => m is StateMutation.PutDeadLetter), hang);
        await bed.PostAsync("users", new Versioned(1, "bad", "5"));
        await Eventually.BecomesAsync(() => bed.Commits.Failed > 0);
        await bed.StopAsync();
        bed.Commits.Fail(static _ => false);
        await bed.StartAsync();
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().DeadLetters == 1);
    }

    [Fact]
    public async Task A_replay_of_a_record_ends_with_its_youngest_version()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", Earliest, tables: ("users", Names));
        await bed.StartAsync();
        await bed.PostAsync("users", new Versioned(1, "one", "1"), new Versioned(1, "three", "3"), new Versioned(1, "two", "2"));
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult() is { Behind: 0, Superseded: 1 });
        await bed.Engine.Registry.Replays.StartReplayAsync("c", new ReplayScope(null, RecordKey.Of("1"), null, null, null), default);
        await bed.UntilAsync("c", 4);
        (await VersionsAsync(bed)).ShouldBe(["1", "3", "1", "3"]);
        await bed.PostAsync("users", new Versioned(1, "two", "2"), new Versioned(1, "four", "4"));
        await bed.UntilAsync("c", 5);
        (await VersionsAsync(bed)).Last().ShouldBe("4", "a replay changes nothing of what the leg knows");
    }

    private static async Task<List<string?>> VersionsAsync(FeedBed bed) =>
        [.. (await bed.Feeds.ReadAsync("c", 0, 1000, null, default))
            .Where(static r => Encoding.UTF8.GetString(r.Key.Span) == "[\"1\"]").Select(static r => r.Version)];

    private static async Task<IReadOnlyList<TimelineEvent>> LinesAsync(FeedBed bed) =>
        await bed.Engine.Parts.Store.ReadTimelineAsync("default/c", Side.A, RecordKey.Of("1"), 100, default);
}
