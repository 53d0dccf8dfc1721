using System.Buffers;
using System.Text;
using Duplex.Engine.Log;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Conformance;

/// <summary>What every change log must do. Derive from it and give the bed that opens the log.</summary>
public abstract class ChangeLogConformance(IBed<IChangeLog> bed) : SeamConformance<IChangeLog>(bed)
{
    private IChangeLog Log => Subject;

    [SkippableFact]
    public async Task Entries_come_back_in_the_order_in_which_they_were_appended()
    {
        await Log.EnsureAsync();
        var expected = new List<string>();
        for (var batch = 0; batch < 20; batch++)
        {
            var values = Enumerable.Range(0, 7).Select(i => $"{{\"n\":{(batch * 7) + i}}}").ToArray();
            expected.AddRange(values);
            (await Log.AppendAsync(LogFacts.Batch(null, values))).ShouldBe(new AppendOutcome(7, 0));
        }

        (await Log.ReadAllAsync(entriesMax: 3)).ShouldBe(expected);
        (await Log.ReadAllAsync(entriesMax: 1000)).ShouldBe(expected);
        var offsets = await Log.OffsetsAsync();
        offsets.Count.ShouldBe(expected.Count);
        (await Log.ReadAllAsync(offset: offsets[100])).ShouldBe(expected.Skip(100));
    }

    [SkippableFact]
    public async Task Keys_and_envelopes_come_back_octet_for_octet()
    {
        await Log.EnsureAsync();
        var key = RecordKey.Of("größe", "\"quoted\"");
        var big = new byte[300_000];
        new Random(1).NextBytes(big);
        using var batch = new ChangeBatch();
        batch.Add("customers", key, big);
        batch.Begin("customers");
        batch.EndKey();
        batch.Write("{\"op\":\"t\"}"u8);
        batch.End();
        await Log.AppendAsync("s", batch, static _ => LogFacts.Topic, default);

        using var page = await Log.ReadAsync(LogFacts.Topic, 0, 0, 10, 1 << 20, default);
        page.Count.ShouldBe(2);
        RecordKey.FromUtf8(page.Key(0).Span).ShouldBe(key);
        page.Value(0).Span.SequenceEqual(big).ShouldBeTrue();
        page.Key(1).Length.ShouldBe(0);
        Encoding.UTF8.GetString(page.Value(1).Span).ShouldBe("{\"op\":\"t\"}");
        page.AppendedMicros(0).ShouldBe((Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10);
    }

    [SkippableFact]
    public async Task A_page_holds_one_entry_at_least_and_no_more_bytes_than_asked_otherwise()
    {
        await Log.EnsureAsync();
        var value = new string('x', 1000);
        await Log.AppendAsync(LogFacts.Batch(null, value, value, value, value));

        using var one = await Log.ReadAsync(LogFacts.Topic, 0, 0, 100, 10, default);
        one.Count.ShouldBe(1);
        using var two = await Log.ReadAsync(LogFacts.Topic, 0, 1, 100, 2500, default);
        two.Count.ShouldBe(2);
        two.Offset(0).ShouldBe(1);
    }

    [SkippableFact]
    public async Task Changes_of_one_key_stay_in_one_partition_also_after_reopening()
    {
        await Log.EnsureAsync(partitions: 8);
        var partitionOf = new Dictionary<string, int>();
        for (var round = 0; round < 3; round++)
        {
            await Log.AppendAsync(LogFacts.Batch(null, [.. Enumerable.Range(0, 100).Select(i => $"{round}:{i}")]));
            await ReopenAsync();
        }

        for (var partition = 0; partition < 8; partition++)
        {
            var values = await Log.ReadAllAsync(partition);
            values.ShouldNotBeEmpty("100 keys reach every one of 8 partitions");
            foreach (var group in values.GroupBy(static v => v.Split(':')[1]))
            {
                group.Select(static v => v[0]).ShouldBe(['0', '1', '2']);
                partitionOf.TryAdd(group.Key, partition).ShouldBeTrue();
            }
        }

        partitionOf.Count.ShouldBe(100);
    }

    [SkippableFact]
    public async Task Position_and_entries_of_a_batch_are_stored_together()
    {
        await Log.EnsureAsync();
        (await Log.ReadPositionAsync("acme/shop", default)).ShouldBeNull();
        var position = new Position(1, ulong.MaxValue - 1, 7, "{\"t\":1}");
        await Log.AppendAsync(LogFacts.Batch(position, "1"));
        (await Log.ReadPositionAsync("acme/shop", default)).ShouldBe(position);
        (await Log.ReadPositionAsync("acme/other", default)).ShouldBeNull();

        await ReopenAsync();
        (await Log.ReadPositionAsync("acme/shop", default)).ShouldBe(position);
        (await Log.ReadAllAsync()).ShouldBe(["1"]);
    }

    [SkippableFact]
    public async Task A_batch_without_changes_moves_the_position_alone()
    {
        await Log.EnsureAsync();
        (await Log.AppendAsync(LogFacts.Batch(new Position(1, 5, 0)))).ShouldBe(new AppendOutcome(0, 0));
        (await Log.ReadPositionAsync("acme/shop", default)).ShouldBe(new Position(1, 5, 0));
    }

    [SkippableFact]
    public async Task A_position_behind_the_stored_one_is_refused_with_its_entries()
    {
        await Log.EnsureAsync();
        await Log.AppendAsync(LogFacts.Batch(new Position(2, 10, 5), "1"));

        foreach (var behind in new[] { new Position(2, 10, 4), new Position(2, 9, 9), new Position(1, 99, 0) })
        {
            var refused =
                await Should.ThrowAsync<SyncException>(() => Log.AppendAsync(LogFacts.Batch(behind, "stale")));
            refused.Error.Code.ShouldBe(ErrorCode.StorageFenced);
        }

        await Log.AppendAsync(LogFacts.Batch(new Position(2, 10, 5, "same place, further token"), "2"));
        await Log.AppendAsync(LogFacts.Batch(new Position(3, 0, 0), "3"));
        (await Log.ReadAllAsync()).ShouldBe(["1", "2", "3"]);
        (await Log.ReadPositionAsync("acme/shop", default)).ShouldBe(new Position(3, 0, 0));
    }

    [SkippableFact]
    public async Task A_delivery_is_stored_once_within_a_batch_between_callers_and_after_reopening()
    {
        await Log.EnsureAsync(partitions: 4);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            Task.Run(() => Log.AppendAsync(LogFacts.Delivery($"evt_{i % 5}", $"key{i}", $"{i % 5}")))));
        outcomes.Sum(static o => o.Appended).ShouldBe(5);
        outcomes.Sum(static o => o.Dropped).ShouldBe(15);

        await ReopenAsync();
        (await Log.AppendAsync(LogFacts.Delivery("evt_0", "a", "again"))).ShouldBe(new AppendOutcome(0, 1));
        using var twice = new ChangeBatch();
        twice.Add("customers", RecordKey.Of("a"), "5"u8, "evt_5");
        twice.Add("customers", RecordKey.Of("b"), "again"u8, "evt_5");
        (await Log.AppendAsync("s", twice, static _ => LogFacts.Topic, default)).ShouldBe(new AppendOutcome(1, 1));

        var values = new List<string>();
        for (var partition = 0; partition < 4; partition++)
        {
            values.AddRange(await Log.ReadAllAsync(partition));
        }

        values.Order().ShouldBe(["0", "1", "2", "3", "4", "5"]);
    }

    [SkippableFact]
    public async Task A_name_under_another_digest_keeps_its_whole_batch_out_also_after_reopening()
    {
        await Log.EnsureAsync(partitions: 4);
        await Log.AppendAsync(LogFacts.Delivery(DeliveryId.Of("k:a", "11"), "a", "1"));
        await Log.AppendAsync(LogFacts.Delivery(DeliveryId.Both("e:1", DeliveryId.Of("k:b", "22")), "b", "2"));
        for (var round = 0; round < 2; round++)
        {
            (await Log.AppendAsync(LogFacts.Delivery(DeliveryId.Of("k:a", "11"), "z", "again"))).ShouldBe(new AppendOutcome(0, 1));
            (await Log.AppendAsync(LogFacts.Delivery("e:1", "z", "again"))).ShouldBe(new AppendOutcome(0, 1));
            (await Log.AppendAsync(LogFacts.Delivery(DeliveryId.Both("e:1", DeliveryId.Of("k:c", "33")), "z", "again")))
                .ShouldBe(new AppendOutcome(0, 1));
            using var mixed = new ChangeBatch();
            mixed.Add("customers", RecordKey.Of("x"), "new"u8, DeliveryId.Of("k:new", "1"));
            mixed.Add("customers", RecordKey.Of("y"), "other"u8, DeliveryId.Both("e:2", DeliveryId.Of("k:b", "23")));
            (await Log.AppendAsync("s", mixed, static _ => LogFacts.Topic, default)).ShouldBe(new AppendOutcome(0, 0, 1));
            await ReopenAsync();
        }

        // A name that begins like another, and one that was only refused, are free.
        (await Log.AppendAsync(LogFacts.Delivery(DeliveryId.Of("k:a\u0001", "44"), "c", "3"))).Appended.ShouldBe(1);
        (await Log.AppendAsync(LogFacts.Delivery(DeliveryId.Of("k:", "55"), "d", "4"))).Appended.ShouldBe(1);
        (await Log.AppendAsync(LogFacts.Delivery(DeliveryId.Of("k:new", "2"), "e", "5"))).Appended.ShouldBe(1);
        (await Log.AppendAsync(LogFacts.Delivery("e:2", "f", "6"))).Appended.ShouldBe(1);
    }

    [SkippableFact]
    public async Task Of_two_contents_under_one_name_at_once_one_is_stored()
    {
        await Log.EnsureAsync(partitions: 4);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() =>
            Log.AppendAsync(LogFacts.Delivery(DeliveryId.Of("k:a", $"{i % 2}"), $"key{i}", $"{i % 2}")))));
        outcomes.Sum(static o => o.Appended).ShouldBe(1);
        outcomes.Sum(static o => o.Dropped).ShouldBe(9);
        outcomes.Count(static o => o.Conflict == 0).ShouldBe(10);
    }

    [SkippableFact]
    public async Task A_name_that_was_stored_without_a_digest_is_a_repeat_under_any()
    {
        await Log.EnsureAsync();
        await Log.AppendAsync(LogFacts.Delivery("k:a", "a", "1"));
        (await Log.AppendAsync(LogFacts.Delivery(DeliveryId.Of("k:a", "11"), "a", "1"))).ShouldBe(new AppendOutcome(0, 1));
    }

    [SkippableFact]
    public async Task Delivery_ids_of_different_topics_are_different()
    {
        await Log.EnsureAsync();
        await Log.EnsureAsync(topic: "other");
        await Log.AppendAsync(LogFacts.Delivery("evt_1", "a", "1"));
        using var batch = LogFacts.Delivery("evt_1", "a", "1");
        (await Log.AppendAsync("s", batch, static _ => "other", default)).Appended.ShouldBe(1);
    }

    [SkippableFact]
    public async Task Streams_of_one_batch_go_to_their_own_topics()
    {
        await Log.EnsureAsync(topic: "t.orders");
        await Log.EnsureAsync(topic: "t.customers");
        using var batch = new ChangeBatch();
        batch.Add("orders", RecordKey.Of("1"), "o1"u8);
        batch.Add("customers", RecordKey.Of("1"), "c1"u8);
        batch.Add("orders", RecordKey.Of("2"), "o2"u8);
        await Log.AppendAsync("s", batch, static stream => "t." + stream, default);
        (await Log.ReadAllAsync(topic: "t.orders")).ShouldBe(["o1", "o2"]);
        (await Log.ReadAllAsync(topic: "t.customers")).ShouldBe(["c1"]);
    }

    [SkippableFact]
    public async Task Concurrent_appends_are_all_there_each_batch_whole_and_in_order()
    {
        await Log.EnsureAsync();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
        {
            for (var n = 0; n < 25; n++)
            {
                await Log.AppendAsync(
                    LogFacts.Batch(new Position(1, (ulong)n, 0), $"{writer}:{n}:a", $"{writer}:{n}:b"),
                        $"source{writer}");
            }
        })));

        var values = await Log.ReadAllAsync();
        values.Count.ShouldBe(800);
        for (var index = 0; index < values.Count; index += 2)
        {
            values[index + 1].ShouldBe(values[index].Replace(":a", ":b", StringComparison.Ordinal));
        }

        for (var writer = 0; writer < 16; writer++)
        {
            values.Where(v => v.StartsWith($"{writer}:", StringComparison.Ordinal) && v.EndsWith('a'))
                .ShouldBe(Enumerable.Range(0, 25).Select(n => $"{writer}:{n}:a"));
            (await Log.ReadPositionAsync($"source{writer}", default)).ShouldBe(new Position(1, 24, 0));
        }
    }

    [SkippableFact]
    public async Task A_batch_may_be_used_again_after_the_append()
    {
        await Log.EnsureAsync();
        using var batch = new ChangeBatch();
        for (var n = 0; n < 50; n++)
        {
            batch.Clear();
            batch.Add("customers", RecordKey.Of("a"), Encoding.UTF8.GetBytes($"{n}"));
            await Log.AppendAsync("s", batch, static _ => LogFacts.Topic, default);
        }

        (await Log.ReadAllAsync()).ShouldBe(Enumerable.Range(0, 50).Select(static n => $"{n}"));
    }

    [SkippableFact]
    public async Task Waiting_ends_when_the_entry_is_there_and_not_before()
    {
        await Log.EnsureAsync();
        await Log.AppendAsync(LogFacts.Batch(null, "0"));
        await Log.WaitAsync(LogFacts.Topic, 0, 0, default).AsTask().WaitAsync(TimeSpan.FromMinutes(2));

        var next = (await Log.DescribeAsync(0)).NextOffset;
        var waits = Enumerable.Range(0, 10).Select(_ => Log.WaitAsync(LogFacts.Topic, 0, next, default).AsTask())
            .ToArray();
        waits.ShouldAllBe(static w => !w.IsCompleted);
        await Log.AppendAsync(LogFacts.Batch(null, "1"));
        await Task.WhenAll(waits).WaitAsync(TimeSpan.FromMinutes(2));

        // The waiter's offset may be one that the log leaves out: only an entry at or after it ends the wait.
        var last = (await Log.DescribeAsync(0)).NextOffset;
        var later = Log.WaitAsync(LogFacts.Topic, 0, last + 100, default).AsTask();
        for (var offset = last; offset < last + 100; offset = (await Log.DescribeAsync(0)).NextOffset)
        {
            later.IsCompleted.ShouldBeFalse();
            await Log.AppendAsync(LogFacts.Batch(null, "2"));
        }

        await Log.AppendAsync(LogFacts.Batch(null, "3"));
        await later.WaitAsync(TimeSpan.FromMinutes(2));
        using var page = await Log.ReadAsync(LogFacts.Topic, 0, last + 100, 10, 1 << 20, default);
        page.Count.ShouldBeGreaterThan(0, "the wait promised an entry");
    }

    [SkippableFact]
    public async Task Waiting_ends_with_its_cancellation()
    {
        await Log.EnsureAsync();
        using var source = new CancellationTokenSource();
        var wait = Log.WaitAsync(LogFacts.Topic, 0, 0, source.Token).AsTask();
        await source.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(wait.WaitAsync(TimeSpan.FromMinutes(2)));
    }

    [SkippableFact]
    public async Task An_append_that_is_cancelled_beforehand_stores_nothing()
    {
        await Log.EnsureAsync();
        using var batch = LogFacts.Batch(new Position(1, 1, 0), "0");
        await Should.ThrowAsync<OperationCanceledException>(() =>
            Log.AppendAsync("acme/shop", batch, static _ => LogFacts.Topic, new CancellationToken(true)).AsTask());
        (await Log.ReadAllAsync()).ShouldBeEmpty();
        (await Log.ReadPositionAsync("acme/shop", default)).ShouldBeNull();
    }

    [SkippableFact]
    public async Task Readers_beside_writers_see_every_entry_once_and_in_order()
    {
        await Log.EnsureAsync();
        var seen = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(FollowAsync)));
        for (var n = 0; n < 300; n++)
        {
            await Log.AppendAsync(LogFacts.Batch(null, $"{2 * n}", $"{(2 * n) + 1}"));
        }

        foreach (var values in await seen.WaitAsync(TimeSpan.FromMinutes(3)))
        {
            values.ShouldBe(Enumerable.Range(0, 600).Select(static n => $"{n}"));
        }

        async Task<List<string>> FollowAsync()
        {
            var values = new List<string>();
            var next = 0L;
            while (values.Count < 600)
            {
                await Log.WaitAsync(LogFacts.Topic, 0, next, default);
                using var page = await Log.ReadAsync(LogFacts.Topic, 0, next, 50, 1 << 20, default);
                page.Count.ShouldBeGreaterThan(0, "the wait promised an entry");
                next = page.Offset(page.Count - 1) + 1;
                values.AddRange(Enumerable.Range(0, page.Count)
                    .Select(i => Encoding.UTF8.GetString(page.Value(i).Span)));
            }

            return values;
        }
    }

    [SkippableFact]
    public async Task The_end_of_a_partition_reads_as_an_empty_page()
    {
        await Log.EnsureAsync();
        using var empty = await Log.ReadAsync(LogFacts.Topic, 0, 0, 10, 1000, default);
        empty.Count.ShouldBe(0);
        await Log.AppendAsync(LogFacts.Batch(null, "0"));
        using var end = await Log.ReadAsync(LogFacts.Topic, 0, 1, 10, 1000, default);
        end.Count.ShouldBe(0);
    }

    [SkippableFact]
    public async Task A_log_is_the_same_after_reopening()
    {
        var identity = Log.Identity;
        identity.Length.ShouldBeGreaterThan(16);
        await Log.EnsureAsync();
        await Log.AppendAsync(LogFacts.Batch(null, "0"));
        await ReopenAsync();
        Log.Identity.ShouldBe(identity);
    }

    [SkippableFact]
    public async Task An_existing_topic_keeps_its_partitions_and_entries()
    {
        await Log.EnsureAsync(partitions: 2);
        await Log.AppendAsync(LogFacts.Batch(null, "0"));
        await Log.EnsureAsync(partitions: 5);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Log.EnsureAsync(topic: "raced"))));
        await ReopenAsync();
        var states = await Log.DescribeAsync(default);
        states.Count(static s => s.Topic == LogFacts.Topic).ShouldBe(2);
        states.Count(static s => s.Topic == "raced").ShouldBe(1);
        states.Sum(static s => s.NextOffset).ShouldBe(1);
    }

    [SkippableFact]
    public async Task Description_tells_offsets_bytes_and_age()
    {
        await Log.EnsureAsync();
        var empty = await Log.DescribeAsync(0);
        empty.ShouldBe(new PartitionState(LogFacts.Topic, 0, 0, 0, 0, null));
        var first = Clock.GetUtcNow();
        await Log.AppendAsync(LogFacts.Batch(null, "12345"));
        Clock.Advance(TimeSpan.FromHours(1));
        await Log.AppendAsync(LogFacts.Batch(null, "12345"));

        var next = (await Log.OffsetsAsync())[1] + 1;
        var expected = new PartitionState(LogFacts.Topic, 0, 0, next, 2 * ("[\"k0\"]".Length + 5), first);
        (await Log.DescribeAsync(0)).ShouldBe(expected);
        await ReopenAsync();
        (await Log.DescribeAsync(0)).ShouldBe(expected);
    }
}
