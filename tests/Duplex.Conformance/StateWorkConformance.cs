using Duplex.Engine.State;
using Duplex.Sdk;
using Shouldly;
using Xunit;
using static Duplex.Conformance.StateFacts;
using static Duplex.Engine.State.StateMutation;

namespace Duplex.Conformance;

/// <summary>What every state store must do with pending records, intents, dead letters, conflicts and
/// timelines.</summary>
public abstract class StateWorkConformance(IBed<IStateStore> bed) : SeamConformance<IStateStore>(bed)
{
    private static readonly LegId Back = new(Sync, Side.B);

    private IStateStore Store => Subject;

    [Fact]
    public async Task A_pending_record_comes_back_with_everything_and_is_replaced_by_its_next_state()
    {
        var error = new SyncError(
            ErrorCode.SinkRateLimited, "slow down", "/syncs/x", "wait", TimeSpan.FromMilliseconds(1500), "req_1");
        var pending = new Pending(Leg, RecordKey.Of("k"), Bytes("{}"), 11, 22, 33, 44, error);
        await Store.CommitAsync(new PutPending(pending with { Offset = 1, Error = null }), new PutPending(pending));
        var found = (await Store.FindPendingAsync(Leg, [RecordKey.Of("none"), RecordKey.Of("k")], default)).ToList();
        found[0].ShouldBeNull();
        found[1].ShouldNotBeNull().Envelope.Text().ShouldBe("{}");
        (found[1]! with { Envelope = default }).ShouldBe(pending with { Envelope = default });
        (await Store.CountPendingAsync(Leg, default)).ShouldBe((1, 44));
        (await Store.FindPendingAsync(Back, [RecordKey.Of("k")], default))[0].ShouldBeNull();

        await Store.CommitAsync(new RemovePending(Leg, RecordKey.Of("k")),
            new RemovePending(Leg, RecordKey.Of("none")));
        (await Store.CountPendingAsync(Leg, default)).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Due_records_come_earliest_first()
    {
        (await Store.NextDueAsync(Leg, default)).ShouldBeNull();
        await Store.CommitAsync(
            new PutPending(Pending("c", 30, 5)), new PutPending(Pending("a", 10, 7)),
                new PutPending(Pending("b", 20, 6)),
            new PutPending(Pending("other", 1, 1, Back)));
        (await Store.NextDueAsync(Leg, default)).ShouldBe(10);
        (await Keys(20, 10)).ShouldBe(["a", "b"]);
        (await Keys(9, 10)).ShouldBeEmpty();
        (await Keys(99, 2)).ShouldBe(["a", "b"]);
        (await Store.CountPendingAsync(Leg, default)).ShouldBe((3, 5));

        await Store.CommitAsync(new PutPending(Pending("a", 40)));
        (await Keys(99, 10)).ShouldBe(["b", "c", "a"]);

        async Task<IEnumerable<string>> Keys(long now, int limit) =>
            (await Store.ListDueAsync(Leg, now, limit, default)).Select(static p => p.Key.ToString());
    }

    [Fact]
    public async Task Intents_come_back_oldest_first_after_reopening()
    {
        var second = new Intent(Leg, RecordKey.Of("b"), "key-b", Bytes("{\"f\":1}"), Bytes("{\"e\":1}"), 5, 200);
        var first = second with { Key = RecordKey.Of("a"), AtMicros = 100 };
        await Store.CommitAsync(
            new PutIntent(second with { IdempotencyKey = "replaced" }), new PutIntent(second), new PutIntent(first),
            new PutIntent(first with { Leg = Back }));
        await ReopenAsync();
        var intents = await Store.ListIntentsAsync(Leg, default);
        intents.Select(static i => i.Key.ToString()).ShouldBe(["a", "b"]);
        intents[1].Fields.Text().ShouldBe("{\"f\":1}");
        intents[1].Envelope.Text().ShouldBe("{\"e\":1}");
        (intents[1] with { Fields = default, Envelope = default }).ShouldBe(
            second with { Fields = default, Envelope = default });
        await Store.CommitAsync(new RemoveIntent(Leg, RecordKey.Of("a")), new RemoveIntent(Leg, RecordKey.Of("none")));
        (await Store.ListIntentsAsync(Leg, default)).ShouldHaveSingleItem().Key.ShouldBe(RecordKey.Of("b"));
    }

    [Fact]
    public async Task A_record_has_one_dead_letter_at_most_and_the_newest_has_the_highest_number()
    {
        await Store.CommitAsync(new PutDeadLetter(Letter("a", message: "old")), new PutDeadLetter(Letter("b")));
        await Store.CommitAsync(new PutDeadLetter(Letter("a", message: "new")));
        var letters = await Store.ListDeadLettersAsync(Sync, 0, 10, default);
        letters.Select(static l => l.Key.ToString()).ShouldBe(["a", "b"]);
        letters[0].Id.ShouldBeGreaterThan(letters[1].Id);
        letters[0].Error.ShouldBe(new SyncError(ErrorCode.SinkRejected, "new"));

        (await Store.FindDeadLetterAsync(letters[1].Id, default)).ShouldNotBeNull().Key.ShouldBe(RecordKey.Of("b"));
        (await Store.FindDeadLetterAsync(999, default)).ShouldBeNull();
        var byKey = await Store.FindDeadLettersAsync(Leg, [RecordKey.Of("none"), RecordKey.Of("b")], default);
        byKey[0].ShouldBeNull();
        byKey[1].ShouldNotBeNull().Id.ShouldBe(letters[1].Id);
    }

    [Fact]
    public async Task A_dead_letter_that_is_put_back_under_its_number_keeps_it()
    {
        await Store.CommitAsync(new PutDeadLetter(Letter("a")), new PutDeadLetter(Letter("b")));
        var letter = (await Store.FindDeadLettersAsync(Leg, [RecordKey.Of("a")], default))[0].ShouldNotBeNull();
        await Store.CommitAsync(new PutDeadLetter(letter with { Envelope = Bytes("{\"edited\":1}") }));
        (await Store.FindDeadLetterAsync(letter.Id, default)).ShouldNotBeNull().Envelope.Text()
            .ShouldBe("{\"edited\":1}");
        (await Store.CountDeadLettersAsync(Leg, default)).ShouldBe(2);
    }

    [Fact]
    public async Task A_record_of_another_stream_has_a_dead_letter_of_its_own()
    {
        await Store.CommitAsync(new PutDeadLetter(Letter("a") with { Stream = "users" }),
            new PutDeadLetter(Letter("a") with { Stream = "orders", Offset = 9 }));
        await Store.CommitAsync(new PutDeadLetter(Letter("a") with { Stream = "orders", Offset = 10 }));
        (await Store.CountDeadLettersAsync(Leg, default)).ShouldBe(2);
        var found = (await Store.FindDeadLettersAsync(Leg, "orders", [RecordKey.Of("a")], default))[0].ShouldNotBeNull();
        (found.Stream, found.Offset).ShouldBe(("orders", 10));
        (await Store.FindDeadLettersAsync(Leg, "tickets", [RecordKey.Of("a")], default))[0].ShouldBeNull();
        (await Store.FindDeadLettersAsync(Leg, [RecordKey.Of("a")], default))[0].ShouldBeNull();
        await Store.CommitAsync(new RemoveDeadLetter(Leg, RecordKey.Of("a"), "users"));
        (await Store.ListDeadLettersAsync(Sync, 0, 10, default)).ShouldHaveSingleItem().Stream.ShouldBe("orders");
    }

    [Fact]
    public async Task Dead_letters_are_paged_newest_first_and_counted_by_leg()
    {
        await Store.CommitAsync([.. Enumerable.Range(0, 30).Select(i =>
            new PutDeadLetter(
                Letter($"{i}", i % 3 == 0 ? Back : i % 3 == 1 ? Leg : new LegId("acme/other", Side.A))))]);
        var paged = new List<DeadLetter>();
        while (await Store.ListDeadLettersAsync(Sync, paged.LastOrDefault()?.Id
            ?? 0, 6, default) is { Count: > 0 } page)
        {
            paged.AddRange(page);
        }

        paged.Select(static l => int.Parse(l.Key.ToString())).ShouldBe(
            Enumerable.Range(0, 30).Where(static i => i % 3 != 2).Reverse());
        (await Store.ListDeadLettersAsync(null, 0, 100, default)).Count.ShouldBe(30);
        (await Store.CountDeadLettersAsync(Leg, default)).ShouldBe(10);
        await Store.CommitAsync(new RemoveDeadLetter(Leg, RecordKey.Of("1")),
            new RemoveDeadLetter(Leg, RecordKey.Of("none")));
        (await Store.CountDeadLettersAsync(Leg, default)).ShouldBe(9);
    }

    [Fact]
    public async Task A_waiting_conflict_is_replaced_and_a_resolved_one_is_kept()
    {
        await Store.CommitAsync(
            new PutConflict(Conflict("1", "email", null)), new PutConflict(Conflict("1", "email", null, "9")),
            new PutConflict(Conflict("1", "name", null)), new PutConflict(Conflict("1", "plan", Side.A)),
            new PutConflict(Conflict("1", "plan", Side.B)),
            new PutConflict(Conflict("1", "email", null, sync: "acme/other")));
        var waiting = await Store.ListConflictsAsync(Sync, true, 0, 10, default);
        waiting.Select(static c => c.Rule).ShouldBe(["name", "email"]);
        waiting[1].ShouldBe(Conflict("1", "email", null, "9") with { Id = waiting[1].Id });
        (await Store.ListConflictsAsync(Sync, false, 0, 10, default)).Count.ShouldBe(4);
        (await Store.ListConflictsAsync(null, true, 0, 10, default)).Count.ShouldBe(3);
        (await Store.ListConflictsAsync(null, false, 0, 2, default)).Count.ShouldBe(2);

        await Store.CommitAsync(new PutConflict(Conflict("1", "email", Side.B)));
        (await Store.ListConflictsAsync(Sync, true, 0, 10, default)).ShouldHaveSingleItem().Rule.ShouldBe("name");
        var resolved = (await Store.ListConflictsAsync(Sync, false, 0, 10, default)).Single(static c => c.Rule == "email");
        resolved.Winner.ShouldBe(Side.B);
        (await Store.FindConflictAsync(resolved.Id, default)).ShouldBe(resolved);
        (await Store.FindConflictAsync(resolved.Id + 1000, default)).ShouldBeNull();
        await Store.CommitAsync(
            new RemoveConflict(Sync, RecordKey.Of("1"), RecordKey.Of("b1"), "name"),
            new RemoveConflict(Sync, RecordKey.Of("1"), RecordKey.Of("b1"), "email"));
        (await Store.CountConflictsAsync(Sync, default)).ShouldBe(0);
        (await Store.ListConflictsAsync(Sync, false, 0, 10, default)).Select(static c => c.Rule).ShouldBe(
            ["plan", "plan", "email"], ignoreOrder: true);
    }

    [Theory]
    [InlineData(Sync, false)]
    [InlineData(Sync, true)]
    [InlineData(null, false)]
    [InlineData(null, true)]
    public async Task Conflicts_are_paged_newest_first_and_each_comes_once(string? sync, bool waiting)
    {
        await Store.CommitAsync([.. Enumerable.Range(0, 40).Select(i => new PutConflict(Conflict(
            $"{i}", "name", i % 4 < 2 ? null : Side.A, sync: i % 2 == 0 ? Sync : "acme/other")))]);
        var paged = new List<Conflict>();
        while (await Store.ListConflictsAsync(sync, waiting, paged.LastOrDefault()?.Id ?? 0, 3, default)
            is { Count: > 0 } page)
        {
            paged.AddRange(page);
        }

        paged.Select(static c => int.Parse(c.A.ToString())).ShouldBe(Enumerable.Range(0, 40)
            .Where(i => (sync is null || i % 2 == 0) && (!waiting || i % 4 < 2)).Reverse());
    }

    [Fact]
    public async Task A_waiting_conflict_keeps_its_number_and_base_and_follows_its_pair_to_another_key()
    {
        await Store.CommitAsync(
            new PutLink(Link(1, "1", "b1")),
            new PutConflict(Conflict("1", "email", null) with { Base = "\"old\"" }),
            new PutConflict(Conflict("1", "name", null)),
            new PutConflict(Conflict("1", "plan", Side.A)));
        var before = await Store.ListConflictsAsync(Sync, true, 0, 10, default);
        await Store.CommitAsync(
            new PutLink(Link(1, "2", "b2")), new PutConflict(Conflict("2", "email", null, "7")));
        var after = await Store.ListConflictsAsync(Sync, true, 0, 10, default);
        after.Select(static c => (c.Id, c.A.ToString())).ShouldBe(before.Select(static c => (c.Id, "2")));
        after.Single(static c => c.Rule == "email").ShouldBe(
            before.Single(static c => c.Rule == "email") with { A = RecordKey.Of("2"), B = RecordKey.Of("b2"), ValueA = "7" });
        (await Store.CountConflictsAsync(Sync, default)).ShouldBe(2);

        await Store.CommitAsync(
            new SettleConflicts(Sync, RecordKey.Of("2"), RecordKey.Of("b2"), Side.B, "delete", 77));
        (await Store.CountConflictsAsync(Sync, default)).ShouldBe(0);
        var settled = (await Store.FindConflictAsync(before[0].Id, default)).ShouldNotBeNull();
        (settled.Winner, settled.Policy, settled.AtMicros).ShouldBe((Side.B, "delete", 77));
    }

    [Fact]
    public async Task Counts_are_those_of_the_rows_whatever_was_replaced_removed_or_refused()
    {
        await Store.CommitAsync(
            [.. Enumerable.Range(0, 20).SelectMany(static i => (StateMutation[])
            [
                new PutPending(new Pending(Leg, RecordKey.Of($"{i}"), Bytes("{}"), i, i, 1, 90 - i, null)),
                new PutPending(new Pending(Leg, RecordKey.Of($"{i}"), Bytes("{}"), i, i, 2, 90 - i, null)),
                new PutLink(Link(i + 1, $"a{i}", $"b{i}")),
            ])]);
        await Should.ThrowAsync<LinkTakenException>(() => Store.CommitAsync(
            new PutLink(Link(100, "x", "y")), new RemovePending(Leg, RecordKey.Of("1")),
            new PutLink(Link(101, "a3", "z"))));
        await Store.CommitAsync(
            new RemovePending(Leg, RecordKey.Of("0")), new RemovePending(Leg, RecordKey.Of("none")),
            new PutLink(Link(1, "a0", "b0", state: LinkState.Deleted)), new RemoveLink(2));
        await ReopenAsync();
        (await Store.CountPendingAsync(Leg, default)).ShouldBe((19, 71));
        (await Store.CountPendingAsync(Back, default)).ShouldBe((0, 0));
        (await Store.CountLinksAsync(Sync, LinkState.Live, default)).ShouldBe(18);
        (await Store.CountLinksAsync(Sync, LinkState.Deleted, default)).ShouldBe(1);
    }

    [Fact]
    public async Task A_timeline_is_found_by_either_key_and_by_keys_that_the_link_had_before()
    {
        await Store.CommitAsync(
            new AddTimeline(Line("5", "", "seen", 1)),
            new PutLink(Link(1, "5", "x")),
            new AddTimeline(Line("5", "x", "written", 2)),
            new PutLink(Link(1, "6", "x")),
            new AddTimeline(Line("6", "x", "key changed", 3)),
            new AddTimeline(Line("", "x", "echo", 4)),
            new AddTimeline(Line("7", "y", "another record", 5)),
            new AddTimeline(Line("6", "x", "another sync", 6, "acme/other")));
        string[] expected = ["seen", "written", "key changed", "echo"];
        foreach (var (side, key) in new[] { (Side.A, "5"), (Side.A, "6"), (Side.B, "x") })
        {
            (await Details(side, key, 100)).ShouldBe(expected, $"{side} {key}");
        }

        (await Details(Side.A, "6", 2)).ShouldBe(["key changed", "echo"], "a long timeline shows its latest lines");
        (await Details(Side.B, "6", 100)).ShouldBeEmpty();
        var line = (await Store.ReadTimelineAsync(Sync, Side.A, RecordKey.Of("5"), 100, default))[0];
        (line with { Detail = default }).ShouldBe(Line("5", "", "seen", 1) with { Detail = default });
    }

    [Fact]
    public async Task Timelines_go_by_age_and_by_number()
    {
        await Store.CommitAsync([.. Enumerable.Range(1, 100).Select(i => new AddTimeline(Line("a", "", $"{i}", i)))]);
        await Store.ApplyRetentionAsync(11, 1000, 0, default);
        (await Details(Side.A, "a", 1000)).ShouldBe(Enumerable.Range(11, 90).Select(static i => $"{i}"));
        await Store.ApplyRetentionAsync(0, 20, 0, default);
        (await Details(Side.A, "a", 1000)).ShouldBe(Enumerable.Range(81, 20).Select(static i => $"{i}"));
    }

    [Fact]
    public async Task Resolved_conflicts_go_by_age_and_waiting_ones_stay()
    {
        await Store.CommitAsync(
            new PutConflict(Conflict("1", "email", null)), new PutConflict(Conflict("1", "name", Side.A)),
            new PutConflict(Conflict("1", "plan", Side.A) with { AtMicros = 500 }));
        await Store.ApplyRetentionAsync(100, 1000, 0, default);
        (await Store.ListConflictsAsync(Sync, false, 0, 10, default)).Select(static c => c.Rule)
            .ShouldBe(["plan", "email"]);
        await Store.CommitAsync(
            [.. Enumerable.Range(0, 20).Select(i => new PutConflict(Conflict($"{i}", "more", Side.B)))]);
        await Store.ApplyRetentionAsync(0, 10, 0, default);
        (await Store.ListConflictsAsync(Sync, false, 0, 100, default))
            .Count.ShouldBe(11, "ten by number, and the one that waits");
    }

    [Fact]
    public async Task Tombstones_go_by_the_time_since_when_they_are_dead()
    {
        await Store.CommitAsync(new PutLink(Link(1, "a1", "b1")), new PutLink(Link(2, "a2", "b2")),
            new PutLink(Link(3, "a3", "b3")));
        Clock.Advance(TimeSpan.FromDays(1));
        await Store.CommitAsync(new PutLink(Link(1, "a1", "b1", state: LinkState.Deleted)));
        Clock.Advance(TimeSpan.FromDays(1));
        var between = Micros();
        Clock.Advance(TimeSpan.FromDays(1));
        await Store.CommitAsync(
            new PutLink(Link(2, "a2", "b2", state: LinkState.Deleted)),
                new PutLink(Link(3, "a3", "b3", state: LinkState.Unlinked)));

        await Store.ApplyRetentionAsync(0, 1000, between, default);
        (await Store.FindLinkAsync(Side.A, "a1")).ShouldBeNull();
        (await Store.FindLinkAsync(Side.A, "a2")).ShouldNotBeNull();
        await Store.ApplyRetentionAsync(0, 1000, Micros() + 1, default);
        (await Store.FindLinkAsync(Side.A, "a2")).ShouldBeNull();
        (await Store.FindLinkAsync(Side.A, "a3")).ShouldNotBeNull();

        long Micros() => (Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
    }

    private async Task<IEnumerable<string>> Details(Side side, string key, int limit) =>
        (await Store.ReadTimelineAsync(Sync, side, RecordKey.Of(key), limit, default))
            .Select(static l => l.Detail.Text());
}
