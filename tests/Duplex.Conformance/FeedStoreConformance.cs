using System.Text;
using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Conformance;

/// <summary>What every feed store must do as it stores and reads. Derive from it and give the bed that opens the
/// store.</summary>
public abstract class FeedStoreConformance(IBed<IFeedStore> bed) : SeamConformance<IFeedStore>(bed)
{
    private IFeedStore Store => Subject;

    [SkippableFact]
    public async Task Offsets_begin_at_one_and_have_no_gaps_under_parallel_appends_to_many_feeds()
    {
        string[] feeds = ["customer-a", "customer-b", "customer-c", "customer-d"];
        var epochs = new Dictionary<string, long>();
        foreach (var feed in feeds)
        {
            epochs[feed] = await Store.AcquireAsync(feed);
        }

        await Task.WhenAll(feeds.SelectMany(feed => Enumerable.Range(0, 4).Select(source => Task.Run(async () =>
        {
            for (var batch = 0; batch < 10; batch++)
            {
                (await Store.AppendAsync(epochs[feed], FeedFacts.Items(batch * 5, 5), $"users/{source}", feed))
                    .Dropped.ShouldBe(0);
            }
        }))));

        foreach (var feed in feeds)
        {
            var records = await Store.ReadAllAsync(limit: 7, feed: feed);
            records.Select(static r => r.Offset).ShouldBe(Enumerable.Range(1, 200).Select(static n => (long)n));
            foreach (var source in records.GroupBy(static r => r.Source))
            {
                source.Select(static r => r.SourceOffset)
                    .ShouldBe(Enumerable.Range(0, 50).Select(static n => (long)n), "order per source is kept");
            }

            (await Store.StateAsync(feed)).LastOffset.ShouldBe(200);
        }
    }

    [SkippableFact]
    public async Task Readers_beside_writers_see_every_record_once_and_in_order()
    {
        var epoch = await Store.AcquireAsync();
        var seen = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(FollowAsync)));
        for (var n = 0; n < 60; n++)
        {
            await Store.AppendAsync(epoch, FeedFacts.Items(n * 3, 3));
        }

        foreach (var texts in await seen.WaitAsync(TimeSpan.FromMinutes(3)))
        {
            texts.ShouldBe(Enumerable.Range(0, 180).Select(static n => $"{n}"));
        }

        async Task<List<string>> FollowAsync()
        {
            var texts = new List<string>();
            while (texts.Count < 180)
            {
                await Store.WaitAsync(FeedFacts.Feed, texts.Count, default);
                var page = await Store.ReadAsync(texts.Count, 10);
                page.Count.ShouldBeGreaterThan(0, "the wait promised a record");
                page[0].Offset.ShouldBe(texts.Count + 1);
                texts.AddRange(page.Texts());
            }

            return texts;
        }
    }

    [SkippableFact]
    public async Task Items_of_a_repeated_batch_are_dropped_by_their_source_offset_also_after_reopening()
    {
        var epoch = await Store.AcquireAsync();
        (await Store.AppendAsync(epoch, FeedFacts.Items(0, 3))).ShouldBe(new FeedAppend(3, 0));
        (await Store.AppendAsync(epoch, FeedFacts.Items(0, 3))).ShouldBe(new FeedAppend(3, 3));
        (await Store.AppendAsync(epoch, FeedFacts.Items(1, 4))).ShouldBe(new FeedAppend(5, 2));

        await ReopenAsync();
        epoch = await Store.AcquireAsync();
        (await Store.AppendAsync(epoch, FeedFacts.Items(3, 3))).ShouldBe(new FeedAppend(6, 2));
        (await Store.AppendAsync(epoch, FeedFacts.Items(0, 2), "orders/0")).ShouldBe(new FeedAppend(8, 0),
            "another source has offsets of its own");
        (await Store.ReadAllAsync()).Texts().ShouldBe(["0", "1", "2", "3", "4", "5", "0", "1"]);
    }

    [SkippableFact]
    public async Task An_item_is_there_once_when_its_batch_is_appended_by_many_at_once()
    {
        var epoch = await Store.AcquireAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ =>
            Task.Run(async () => await Store.AppendAsync(epoch, FeedFacts.Items(0, 10)))));
        outcomes.Sum(static o => o.Dropped).ShouldBe(70);
        (await Store.ReadAllAsync()).Texts().ShouldBe(Enumerable.Range(0, 10).Select(static n => $"{n}"));
    }

    [SkippableFact]
    public async Task Source_offsets_may_leave_offsets_out_and_the_feed_does_not()
    {
        var epoch = await Store.AcquireAsync();
        await Store.AppendAsync(
            epoch, [FeedFacts.Item(5, "a"), FeedFacts.Item(90, "b"), FeedFacts.Item(1L << 40, "c")]);
        var records = await Store.ReadAsync();
        records.Select(static r => r.Offset).ShouldBe([1, 2, 3]);
        records.Select(static r => r.SourceOffset).ShouldBe([5, 90, 1L << 40]);
    }

    [SkippableFact]
    public async Task The_highest_source_offsets_are_told_by_prefix_also_after_reopening()
    {
        var epoch = await Store.AcquireAsync();
        await Store.AppendAsync(epoch, FeedFacts.Items(0, 3), "users/0");
        await Store.AppendAsync(epoch, FeedFacts.Items(7, 2), "users/1");
        await Store.AppendAsync(epoch, FeedFacts.Items(4, 1), "replay/users/1");
        (await Store.ReadSourcesAsync(FeedFacts.Feed, "orders/", default)).ShouldBeEmpty();
        await ReopenAsync();
        (await Store.ReadSourcesAsync(FeedFacts.Feed, "users/", default)).OrderBy(static p => p.Key)
            .ShouldBe([new("users/0", 2), new("users/1", 8)]);
        (await Store.ReadSourcesAsync(FeedFacts.Feed, "", default)).Count.ShouldBe(3);
    }

    [SkippableFact]
    public async Task An_append_of_an_older_epoch_is_refused_and_stores_nothing()
    {
        var old = await Store.AcquireAsync();
        await Store.AppendAsync(old, FeedFacts.Items(0, 1));
        var current = await Store.AcquireAsync();
        current.ShouldBeGreaterThan(old);
        var refused = await Should.ThrowAsync<SyncException>(
            () => Store.AppendAsync(old, FeedFacts.Items(1, 1)).AsTask());
        refused.Error.Code.ShouldBe(ErrorCode.StorageFenced);
        refused.Error.Message.ShouldContain(FeedFacts.Feed);
        refused.Error.Suggestion.ShouldNotBeNull();
        (await Store.AppendAsync(current, FeedFacts.Items(1, 1))).ShouldBe(new FeedAppend(2, 0));

        await ReopenAsync();
        (await Store.AcquireAsync()).ShouldBeGreaterThan(current);
        await Should.ThrowAsync<SyncException>(() => Store.AppendAsync(current, FeedFacts.Items(2, 1)).AsTask());
        (await Store.ReadAllAsync()).Texts().ShouldBe(["0", "1"]);
    }

    [SkippableFact]
    public async Task A_record_comes_back_as_it_was_appended_also_after_reopening()
    {
        var epoch = await Store.AcquireAsync();
        var full = new FeedItem(3, "größe 表", Encoding.UTF8.GetBytes("[\"ключ\",\"\\\"q\\\"\"]"),
            ChangeOperation.Delete, "evt_\u00e4\U0001F600", "v-1", 1_700_000_000_123_456,
            Encoding.UTF8.GetBytes("{\"name\":\"Zoë \U0001F600\",\"n\":12345678901234567890.10,\"x\":null}"));
        var bare = new FeedItem(
            4, "users", "[\"1\"]"u8.ToArray(), ChangeOperation.Create, null, null, 0, "{}"u8.ToArray());
        var created = (Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10;
        await Store.AppendAsync(epoch, [full, bare], "größe/0");
        Clock.Advance(TimeSpan.FromHours(1));
        await ReopenAsync();

        var records = await Store.ReadAsync();
        records.Count.ShouldBe(2);
        ShouldBe(records[0], 1, full);
        ShouldBe(records[1], 2, bare);

        void ShouldBe(FeedRecord record, long offset, FeedItem item)
        {
            record.Offset.ShouldBe(offset);
            record.Table.ShouldBe(item.Table);
            record.Key.ToArray().ShouldBe(item.Key.ToArray());
            record.Operation.ShouldBe(item.Operation);
            record.EventId.ShouldBe(item.EventId);
            record.Version.ShouldBe(item.Version);
            record.SourceMicros.ShouldBe(item.SourceMicros);
            record.Source.ShouldBe("größe/0");
            record.SourceOffset.ShouldBe(item.SourceOffset);
            record.Data.ToArray().ShouldBe(item.Data.ToArray());
            record.CreatedMicros.ShouldBe(created);
            record.UpdatedMicros.ShouldBe(created);
            record.Status.ShouldBe(FeedStatus.Pending);
            record.Attempts.ShouldBe(0);
            record.Error.ShouldBeNull();
        }
    }

    [SkippableFact]
    public async Task Records_of_a_megabyte_are_stored_and_pages_of_them_stay_bounded()
    {
        var epoch = await Store.AcquireAsync();
        var random = new Random(1);
        var items = Enumerable.Range(0, 12).Select(n => FeedFacts.Item(n, Text(n % 3 == 0 ? 1_000_000 : 390_000)))
            .ToArray();
        await Store.AppendAsync(epoch, items);
        await Store.AppendAsync(epoch, [FeedFacts.Item(12, "small")]);

        var first = await Store.ReadAsync(limit: 1000);
        first.Count.ShouldBeGreaterThan(0);
        var records = await Store.ReadAllAsync(limit: 1000);
        records.Select(static r => r.Offset).ShouldBe(Enumerable.Range(1, 13).Select(static n => (long)n));
        for (var n = 0; n < 12; n++)
        {
            records[n].Data.Span.SequenceEqual(items[n].Data.Span).ShouldBeTrue($"record {n}");
        }

        (await Store.ReadAsync(after: 3, limit: 1)).ShouldHaveSingleItem().Data.Length.ShouldBe(1_000_002);

        string Text(int length) => string.Create(length, random, static (span, r) =>
        {
            foreach (ref var letter in span)
            {
                letter = (char)r.Next('a', 'z' + 1);
            }
        });
    }

    [SkippableFact]
    public async Task A_page_begins_after_its_offset_and_ends_at_its_limit()
    {
        var epoch = await Store.AcquireAsync();
        await Store.AppendAsync(epoch, FeedFacts.Items(1, 500));
        (await Store.ReadAsync(after: 0, limit: 1)).Texts().ShouldBe(["1"]);
        (await Store.ReadAsync(after: 250, limit: 3)).Texts().ShouldBe(["251", "252", "253"]);
        (await Store.ReadAsync(after: 498, limit: 50)).Texts().ShouldBe(["499", "500"]);
        (await Store.ReadAsync(after: 500)).ShouldBeEmpty();
        (await Store.ReadAsync(after: 9_999)).ShouldBeEmpty();
        (await Store.ReadAllAsync(limit: 37)).Texts().ShouldBe(Enumerable.Range(1, 500).Select(static n => $"{n}"));
    }

    [SkippableFact]
    public async Task A_table_is_read_alone_with_the_offsets_of_the_whole_feed()
    {
        var epoch = await Store.AcquireAsync();
        for (var n = 0; n < 30; n++)
        {
            await Store.AppendAsync(
                epoch, [FeedFacts.Item(2 * n, $"u{n}"), FeedFacts.Item((2 * n) + 1, $"o{n}", "orders")]);
        }

        await Store.AppendAsync(epoch, FeedFacts.Items(0, 200), "users/1");
        await Store.AppendAsync(epoch, [FeedFacts.Item(60, "rare", "tickets")]);
        var orders = await Store.ReadAllAsync(limit: 7, table: "orders");
        orders.Texts().ShouldBe(Enumerable.Range(0, 30).Select(static n => $"o{n}"));
        orders.Select(static r => r.Offset).ShouldBe(Enumerable.Range(1, 30).Select(static n => 2L * n));
        (await Store.ReadAsync(after: 21, limit: 1, table: "orders")).ShouldHaveSingleItem().Offset.ShouldBe(22);
        (await Store.ReadAsync(table: "tickets")).ShouldHaveSingleItem().Offset.ShouldBe(261);
        (await Store.ReadAsync(table: "none")).ShouldBeEmpty();
        await ReopenAsync();
        (await Store.ReadAsync(after: 60, table: "orders")).ShouldBeEmpty();
        (await Store.ReadAsync(after: 60, table: "tickets")).Texts().ShouldBe(["rare"]);
    }

    [SkippableFact]
    public async Task Waiting_ends_when_the_record_is_there_and_not_before()
    {
        var epoch = await Store.AcquireAsync();
        await Store.AppendAsync(epoch, FeedFacts.Items(0, 1));
        await Store.WaitAsync(FeedFacts.Feed, 0, default).AsTask().WaitAsync(TimeSpan.FromMinutes(2));

        var waits = Enumerable.Range(0, 10).Select(_ => Store.WaitAsync(FeedFacts.Feed, 2, default).AsTask()).ToArray();
        await Store.AppendAsync(epoch, FeedFacts.Items(1, 1));
        waits.ShouldAllBe(static w => !w.IsCompleted);
        await Store.AppendAsync(epoch, FeedFacts.Items(2, 1));
        await Task.WhenAll(waits).WaitAsync(TimeSpan.FromMinutes(2));
    }

    [SkippableFact]
    public async Task Waiting_ends_with_its_cancellation()
    {
        await Store.AcquireAsync();
        using var source = new CancellationTokenSource();
        var wait = Store.WaitAsync(FeedFacts.Feed, 0, source.Token).AsTask();
        await source.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(wait.WaitAsync(TimeSpan.FromMinutes(2)));
    }

    [SkippableFact]
    public async Task An_append_that_is_cancelled_beforehand_stores_nothing()
    {
        var epoch = await Store.AcquireAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Store.AppendAsync(
            FeedFacts.Feed, epoch, FeedFacts.Source, FeedFacts.Items(0, 1), new CancellationToken(true)).AsTask());
        (await Store.ReadAllAsync()).ShouldBeEmpty();
        (await Store.ReadSourcesAsync(FeedFacts.Feed, "", default)).ShouldBeEmpty();
    }

    [SkippableFact]
    public async Task A_feed_that_nobody_acquired_is_unknown()
    {
        await Store.AcquireAsync("known");
        (await Store.FindAsync("unknown", default)).ShouldBeNull();
        (await Store.DescribeAsync(default)).ShouldHaveSingleItem().Name.ShouldBe("known");
        await Should.ThrowAsync<InvalidOperationException>(() => Store.ReadAsync(feed: "unknown").AsTask());
        await Should.ThrowAsync<InvalidOperationException>(
            () => Store.AppendAsync(1, FeedFacts.Items(0, 1), feed: "unknown").AsTask());
    }

    [SkippableFact]
    public async Task Description_tells_bounds_bytes_and_age()
    {
        var epoch = await Store.AcquireAsync();
        (await Store.StateAsync()).ShouldBe(new FeedState(FeedFacts.Feed, 1, 0, 0, 0));
        var first = (Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10;
        await Store.AppendAsync(epoch, [FeedFacts.Item(1, "123")]);
        Clock.Advance(TimeSpan.FromHours(1));
        await Store.AppendAsync(epoch, [FeedFacts.Item(2, "123")]);

        var expected = new FeedState(FeedFacts.Feed, 1, 2, 2 * ("[\"1\"]".Length + 5), first);
        (await Store.StateAsync()).ShouldBe(expected);
        await ReopenAsync();
        (await Store.StateAsync()).ShouldBe(expected);
        await Store.AcquireAsync("customer-0");
        (await Store.DescribeAsync(default)).Select(static s => s.Name).ShouldBe(["customer-0", FeedFacts.Feed]);
        Store.Obstacle.ShouldBeNull();
        Store.Failed.IsCompleted.ShouldBeFalse();
    }
}
