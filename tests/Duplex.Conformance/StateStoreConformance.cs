using Duplex.Engine.State;
using Duplex.Sdk;
using Shouldly;
using Xunit;
using static Duplex.Conformance.StateFacts;
using static Duplex.Engine.State.StateMutation;

namespace Duplex.Conformance;

/// <summary>
/// What every state store must do with ownership, commits, links and candidates. Derive from it and give the bed
/// that opens the store.
/// </summary>
public abstract class StateStoreConformance(IBed<IStateStore> bed) : SeamConformance<IStateStore>(bed)
{
    private IStateStore Store => Subject;

    [Fact]
    public async Task The_installation_is_made_once()
    {
        var made = Store.Installation;
        made.Length.ShouldBe(8);
        made.ShouldAllBe(static c => (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'));
        await ReopenAsync();
        Store.Installation.ShouldBe(made);
    }

    [Fact]
    public async Task Each_acquisition_raises_the_epoch_also_after_reopening()
    {
        var first = await Store.AcquireAsync("leg", default);
        var second = await Store.AcquireAsync("leg", default);
        second.ShouldBeGreaterThan(first);
        await Store.AcquireAsync("other", default);
        await ReopenAsync();
        (await Store.AcquireAsync("leg", default)).ShouldBeGreaterThan(second);
    }

    [Fact]
    public async Task A_commit_of_a_former_owner_is_refused_whole()
    {
        var former = await Store.AcquireAsync("leg", default);
        var present = await Store.AcquireAsync("leg", default);
        var stale = Commit("leg", former, new PutLink(Link(1, "a", "b")), new PutValue("v", "1"));
        stale.Positions.Add(new LegPosition(Leg, "t", 0, 10));
        var refused = await Should.ThrowAsync<SyncException>(() => Store.CommitAsync(stale, default).AsTask());
        refused.Error.Code.ShouldBe(ErrorCode.StorageFenced);

        (await Store.FindLinkAsync(Side.A, "a")).ShouldBeNull();
        (await Store.ReadValueAsync("v", default)).ShouldBeNull();
        (await Store.ReadPositionsAsync(Leg, default)).ShouldBeEmpty();
        await Store.CommitAsync(Commit("leg", present, new PutValue("v", "2")), default);
        (await Store.ReadValueAsync("v", default)).ShouldBe("2");
    }

    [Fact]
    public async Task A_commit_of_an_owner_that_never_acquired_is_refused()
    {
        var refused =
            await Should.ThrowAsync<SyncException>(() => Store.CommitAsync(Commit("nobody", 1), default).AsTask());
        refused.Error.Code.ShouldBe(ErrorCode.StorageFenced);
    }

    [Fact]
    public async Task Outcome_and_position_are_stored_together_and_survive_reopening()
    {
        var epoch = await Store.AcquireAsync("leg", default);
        var commit = Commit("leg", epoch, new PutLink(Link(1, "a", "b")));
        commit.Positions.Add(new LegPosition(Leg, "t", 0, 10));
        commit.Positions.Add(new LegPosition(Leg, "t", 1, 20));
        await Store.CommitAsync(commit, default);
        await ReopenAsync();
        (await Store.ReadPositionsAsync(Leg, default)).ShouldBe(
            [new LegPosition(Leg, "t", 0, 10), new LegPosition(Leg, "t", 1, 20)], ignoreOrder: true);
        (await Store.ReadPositionsAsync(Leg with { From = Side.B }, default)).ShouldBeEmpty();
        (await Store.FindLinkAsync(Side.B, "b")).ShouldNotBeNull().Id.ShouldBe(1);
    }

    [Fact]
    public async Task Positions_never_move_backwards()
    {
        var epoch = await Store.AcquireAsync("leg", default);
        foreach (var offset in new[] { 10, 5 })
        {
            var commit = Commit("leg", epoch);
            commit.Positions.Add(new LegPosition(Leg, "t", 0, offset));
            await Store.CommitAsync(commit, default);
        }

        (await Store.ReadPositionsAsync(Leg, default)).ShouldHaveSingleItem().Offset.ShouldBe(10);
    }

    [Fact]
    public async Task A_link_comes_back_with_everything()
    {
        var link = Link(Store.NextLinkId(), "a", "b") with
        {
            ShadowA = Bytes("{\"name\":\"Ann\"}"),
            ShadowB = Bytes("{\"n\":\"Ann\"}"),
            VersionA = long.MaxValue,
            VersionB = -5,
            State = LinkState.Unlinked,
            Marks = Bytes("[]"),
        };
        await Store.CommitAsync(new PutLink(link));
        foreach (var found in new[] { await Store.FindLinkAsync(Side.A, "a"), await Store.FindLinkAsync(Side.B, "b") })
        {
            found.ShouldNotBeNull();
            found.ShadowA.Text().ShouldBe("{\"name\":\"Ann\"}");
            found.ShadowB.Text().ShouldBe("{\"n\":\"Ann\"}");
            found.Marks.Text().ShouldBe("[]");
            (found with { ShadowA = default, ShadowB = default, Marks = default }).ShouldBe(
                link with { ShadowA = default, ShadowB = default, Marks = default });
        }
    }

    [Fact]
    public async Task Links_are_found_for_many_keys_in_their_order_with_null_where_there_is_none()
    {
        await Store.CommitAsync([.. Enumerable.Range(1, 500).Select(i => new PutLink(Link(i, $"a{i}", $"b{i}")))]);
        var keys = Enumerable.Range(0, 1000).Select(static i => RecordKey.Of($"a{i}")).Append(default).ToList();
        var links = await Store.FindLinksAsync(Sync, Side.A, keys, default);
        links.Count.ShouldBe(1001);
        for (var i = 0; i < 1000; i++)
        {
            (links[i]?.Id ?? 0).ShouldBe(i is >= 1 and <= 500 ? i : 0);
        }

        links[1000].ShouldBeNull();
        (await Store.FindLinkAsync(Side.A, "a1", "acme/other")).ShouldBeNull();
        (await Store.FindLinkAsync(Side.B, "a1")).ShouldBeNull();
    }

    [Theory]
    [InlineData("a1", "new", Side.A, "a1")]
    [InlineData("new", "b1", Side.B, "b1")]
    public async Task A_key_never_gets_a_second_partner_and_the_commit_leaves_nothing(string a, string b, Side side,
        string taken)
    {
        await Store.CommitAsync(new PutLink(Link(1, "a1", "b1")));
        var epoch = await Store.AcquireAsync("leg", default);
        var commit = Commit("leg", epoch, new PutValue("v", "1"), new PutLink(Link(2, a, b)));
        commit.Positions.Add(new LegPosition(Leg, "t", 0, 10));
        var refused = await Should.ThrowAsync<LinkTakenException>(() => Store.CommitAsync(commit, default).AsTask());
        refused.Side.ShouldBe(side);
        refused.Key.ShouldBe(RecordKey.Of(taken));
        (await Store.ReadValueAsync("v", default)).ShouldBeNull();
        (await Store.ReadPositionsAsync(Leg, default)).ShouldBeEmpty();
        (await Store.FindLinkAsync(side, taken)).ShouldNotBeNull().Id.ShouldBe(1);
        await Store.CommitAsync(new PutLink(Link(2, a, b, "acme/other")));
    }

    [Fact]
    public async Task A_refused_commit_leaves_the_others_of_its_group_alone()
    {
        await Store.CommitAsync(new PutLink(Link(1, "taken", "b")));
        var epochs = new long[40];
        for (var i = 0; i < epochs.Length; i++)
        {
            epochs[i] = await Store.AcquireAsync($"leg{i}", default);
        }

        var refused = 0;
        await Task.WhenAll(epochs.Select((epoch, i) => Task.Run(async () =>
        {
            var link = i % 2 == 0 ? Link(100 + i, $"a{i}", $"b{i}") : Link(100 + i, "taken", $"b{i}");
            try
            {
                await Store.CommitAsync(Commit($"leg{i}", epoch, new PutValue($"v{i}", "1"), new PutLink(link)),
                    default);
            }
            catch (LinkTakenException)
            {
                Interlocked.Increment(ref refused);
            }
        })));
        refused.ShouldBe(20);
        for (var i = 0; i < epochs.Length; i++)
        {
            (await Store.ReadValueAsync($"v{i}", default)).ShouldBe(i % 2 == 0 ? "1" : null);
            ((await Store.FindLinkAsync(Side.B, $"b{i}")) is not null).ShouldBe(i % 2 == 0);
        }
    }

    [Fact]
    public async Task Mutations_are_applied_in_order_so_that_a_key_can_pass_from_one_link_to_another()
    {
        await Store.CommitAsync(new PutLink(Link(1, "a", "b")));
        await Store.CommitAsync(new RemoveLink(1), new PutLink(Link(2, "a", "b2")), new PutLink(Link(2, "a3", "b2")));
        (await Store.FindLinkAsync(Side.A, "a")).ShouldBeNull();
        (await Store.FindLinkAsync(Side.A, "a3")).ShouldNotBeNull().B.ShouldBe(RecordKey.Of("b2"));
        (await Store.FindLinkAsync(Side.B, "b")).ShouldBeNull();
    }

    [Fact]
    public async Task Links_with_one_known_key_do_not_collide()
    {
        await Store.CommitAsync(
            new PutLink(Link(1, "a1", "")), new PutLink(Link(2, "a2", "")), new PutLink(Link(3, "", "b3")),
                new PutLink(Link(4, "", "b4")));
        (await Store.FindLinkAsync(Side.A, "a2")).ShouldNotBeNull().B.IsEmpty.ShouldBeTrue();
        (await Store.FindLinkAsync(Side.B, "b4")).ShouldNotBeNull().A.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public async Task Links_are_listed_by_number_and_counted_by_state()
    {
        await Store.CommitAsync([.. Enumerable.Range(1, 100).Select(i =>
            new PutLink(Link(i, $"a{i}", $"b{i}", i % 10 == 0 ? "acme/other" : Sync, (LinkState)(i % 3))))]);
        var listed = new List<long>();
        while (true)
        {
            var page = await Store.ListLinksAsync(Sync, listed.LastOrDefault(), 7, default);
            if (page.Count == 0)
            {
                break;
            }

            page.Count.ShouldBeLessThanOrEqualTo(7);
            listed.AddRange(page.Select(static l => l.Id));
        }

        var expected = Enumerable.Range(1, 100).Where(static i => i % 10 != 0).Select(static i => (long)i).ToList();
        listed.ShouldBe(expected);
        foreach (var state in Enum.GetValues<LinkState>())
        {
            (await Store.CountLinksAsync(Sync, state, default)).ShouldBe(expected.Count(i => i % 3 == (int)state));
        }
    }

    [Fact]
    public async Task Link_numbers_are_never_given_twice()
    {
        var given = new HashSet<long>();
        for (var round = 0; round < 3; round++)
        {
            var numbers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
                Task.Run(() => Enumerable.Range(0, 500).Select(_ => Store.NextLinkId()).ToList())));
            foreach (var number in numbers.SelectMany(static n => n))
            {
                number.ShouldBeGreaterThan(0);
                given.Add(number).ShouldBeTrue();
            }

            await ReopenAsync();
        }
    }

    [Fact]
    public async Task Candidates_are_found_by_their_match_values()
    {
        await Store.CommitAsync(
            new PutCandidate(new Candidate(Sync, Side.A, RecordKey.Of("1"), "ann")),
            new PutCandidate(new Candidate(Sync, Side.A, RecordKey.Of("2"), "ann")),
            new PutCandidate(new Candidate(Sync, Side.A, RecordKey.Of("3"), "ann")),
            new PutCandidate(new Candidate(Sync, Side.A, RecordKey.Of("4"), null)),
            new PutCandidate(new Candidate(Sync, Side.B, RecordKey.Of("5"), "ann")),
            new PutCandidate(new Candidate("acme/other", Side.B, RecordKey.Of("6"), "ann")));
        (await Store.FindCandidatesAsync(Sync, Side.A, "ann", 2, default)).Count.ShouldBe(2);
        (await Store.FindCandidatesAsync(Sync, Side.B, "ann", 2, default)).ShouldBe(
            [new Candidate(Sync, Side.B, RecordKey.Of("5"), "ann")]);
        await Store.CommitAsync(
            new PutCandidate(new Candidate(Sync, Side.A, RecordKey.Of("1"), "bob")),
            new RemoveCandidate(Sync, Side.A, RecordKey.Of("2")),
            new RemoveCandidate(Sync, Side.A, RecordKey.Of("not there")));
        (await Store.FindCandidatesAsync(Sync, Side.A, "ann", 2, default)).ShouldHaveSingleItem()
            .Key.ShouldBe(RecordKey.Of("3"));
    }

    [Fact]
    public async Task Candidates_are_counted_as_pairs_as_single_and_as_ambiguous()
    {
        (await Store.CountCandidatesAsync(Sync, default)).ShouldBe(default);
        var next = 0;
        await Store.CommitAsync([
            .. Put(Side.A, "pair1", "pair2", "pair3", "onlyA", "twiceA", "twiceA", "two-one", "two-one", "two-two",
                "two-two", "one-two"),
            .. Put(Side.A, null, null),
            .. Put(Side.B, "pair1", "pair2", "pair3", "onlyB", "two-one", "two-two", "two-two", "one-two", "one-two"),
            .. Put(Side.B, [null])]);
        (await Store.CountCandidatesAsync(Sync, default)).ShouldBe(
            new CandidateCounts(Pairs: 3, OnlyA: 5, OnlyB: 2, AmbiguousA: 5, AmbiguousB: 5));

        IEnumerable<StateMutation> Put(Side side, params string?[] matches) => matches.Select(match =>
            new PutCandidate(new Candidate(Sync, side, RecordKey.Of($"{next++}"), match)));
    }

    [Fact]
    public async Task Versions_are_kept_per_leg_stream_and_record_and_are_stored_with_the_position()
    {
        var epoch = await Store.AcquireAsync("leg", default);
        var other = new LegId("acme/other", Side.A);
        var commit = Commit("leg", epoch,
            new PutVersion(Leg, "users", RecordKey.Of("1"), "7"), new PutVersion(Leg, "users", RecordKey.Of("1"), "12345678901234567890"),
            new PutVersion(Leg, "users", RecordKey.Of("2"), "2"), new PutVersion(Leg, "users", RecordKey.Of("2"), null),
            new PutVersion(Leg, "users", RecordKey.Of("3"), null), new PutVersion(Leg, "orders", RecordKey.Of("1"), "1"),
            new PutVersion(other, "users", RecordKey.Of("1"), "5"));
        commit.Positions.Add(new LegPosition(Leg, "users", 0, 10));
        await Store.CommitAsync(commit, default);
        await ReopenAsync();
        RecordKey[] keys = [RecordKey.Of("3"), RecordKey.Of("1"), RecordKey.Of("2"), RecordKey.Of("1")];
        (await Store.FindVersionsAsync(Leg, "users", keys, default)).ShouldBe(
            [null, "12345678901234567890", null, "12345678901234567890"]);
        (await Store.FindVersionsAsync(Leg, "orders", keys, default)).ShouldBe([null, "1", null, "1"]);
        (await Store.FindVersionsAsync(other, "users", keys, default)).ShouldBe([null, "5", null, "5"]);
        (await Store.FindVersionsAsync(Leg with { From = Side.B }, "users", keys, default)).ShouldAllBe(static v => v == null);
        (await Store.FindVersionsAsync(new LegId("nobody/x", Side.A), "users", keys, default)).ShouldAllBe(static v => v == null);

        var stale = Commit("leg", epoch - 1, new PutVersion(Leg, "users", RecordKey.Of("1"), "9"));
        await Should.ThrowAsync<SyncException>(() => Store.CommitAsync(stale, default).AsTask());
        (await Store.FindVersionsAsync(Leg, "users", [RecordKey.Of("1")], default)).ShouldBe(["12345678901234567890"]);
    }

    [Fact]
    public async Task Versions_of_a_leg_that_is_gone_go_with_the_retention_and_no_others()
    {
        var other = new LegId("acme/other", Side.A);
        await Store.CommitAsync([.. Enumerable.Range(0, 5000).Select(static i =>
            new PutVersion(Leg, "users", RecordKey.Of($"{i}"), "1")), new PutVersion(other, "users", RecordKey.Of("0"), "1")]);
        await Store.ApplyRetentionAsync(0, 1000, 0, default);
        RecordKey[] keys = [.. Enumerable.Range(0, 5000).Select(static i => RecordKey.Of($"{i}"))];
        (await Store.FindVersionsAsync(Leg, "users", keys, default)).ShouldAllBe(static v => v == "1");

        await Store.CommitAsync(new ForgetVersions(Leg), new ForgetVersions(new LegId("nobody/x", Side.A)));
        await ReopenAsync();
        await Store.ApplyRetentionAsync(0, 1000, 0, default);
        (await Store.FindVersionsAsync(Leg, "users", keys, default)).ShouldAllBe(static v => v == null);
        (await Store.FindVersionsAsync(other, "users", [keys[0]], default)).ShouldBe(["1"]);
        await Store.CommitAsync(new PutVersion(Leg, "users", keys[0], "1"));
        await Store.ApplyRetentionAsync(0, 1000, 0, default);
        (await Store.FindVersionsAsync(Leg, "users", [keys[0]], default)).ShouldBe(["1"], "a leg is forgotten once");
    }

    [Fact]
    public async Task A_named_value_is_replaced_and_removed()
    {
        (await Store.ReadValueAsync("v", default)).ShouldBeNull();
        await Store.CommitAsync(new PutValue("v", "1"), new PutValue("v", ""));
        (await Store.ReadValueAsync("v", default)).ShouldBe("");
        await Store.CommitAsync(new PutValue("v", null));
        (await Store.ReadValueAsync("v", default)).ShouldBeNull();
    }

    [Fact]
    public async Task Named_values_are_listed_by_the_beginning_of_their_names()
    {
        (await Store.ListValuesAsync("m/", default)).ShouldBeEmpty();
        var large = new string('x', 1 << 20);
        await Store.CommitAsync(new PutValue("m/b/00000002", "2"), new PutValue("m/b/00000001", "1"),
            new PutValue("m/a_/1", "other"), new PutValue("m", "no"), new PutValue("m0", "no"),
            new PutValue("M/b/1", "no"), new PutValue("m/b/\u00e4\U0001F600", large), new PutValue("m/b%", "wild"),
            new PutValue("l/b", "no"));
        (await Store.ListValuesAsync("m/b/", default)).Select(static v => (v.Key, v.Value)).ShouldBe(
            [("m/b/00000001", "1"), ("m/b/00000002", "2"), ("m/b/\u00e4\U0001F600", large)]);
        (await Store.ListValuesAsync("m/a_", default)).ShouldHaveSingleItem().Value.ShouldBe("other");
        (await Store.ListValuesAsync("m/b%", default)).ShouldHaveSingleItem().Value.ShouldBe("wild");
        (await Store.ListValuesAsync("m", default)).Count.ShouldBe(7);
        await Store.CommitAsync(new PutValue("m/b/00000001", null));
        (await Store.ListValuesAsync("m/b/", default))[0].Key.ShouldBe("m/b/00000002");
    }

    [Fact]
    public async Task Concurrent_commits_are_all_there()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(leg => Task.Run(async () =>
        {
            var epoch = await Store.AcquireAsync($"leg{leg}", default);
            for (var n = 0; n < 20; n++)
            {
                var commit = Commit($"leg{leg}", epoch, new PutLink(Link(Store.NextLinkId(), $"{leg}:{n}", "")));
                commit.Positions.Add(new LegPosition(new LegId($"acme/{leg}", Side.B), "t", 0, n + 1));
                await Store.CommitAsync(commit, default);
                (await Store.FindLinkAsync(Side.A, $"{leg}:{n}"))
                    .ShouldNotBeNull("reads see every commit that has returned");
            }
        })));
        (await Store.CountLinksAsync(Sync, LinkState.Live, default)).ShouldBe(400);
        for (var leg = 0; leg < 20; leg++)
        {
            (await Store.ReadPositionsAsync(new LegId($"acme/{leg}", Side.B), default)).ShouldHaveSingleItem()
                .Offset.ShouldBe(20);
        }
    }
}
