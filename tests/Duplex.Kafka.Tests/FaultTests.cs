using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Duplex.Conformance;
using Duplex.Engine.Log;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Kafka.Tests;

/// <summary>Brokers that go away, and processes that were replaced.</summary>
[Collection(KafkaCollection.Name)]
public sealed class FaultTests(KafkaBroker broker)
{
    private const int Partitions = 3;

    [SkippableFact]
    public async Task What_was_acknowledged_around_a_killed_broker_is_there_once_and_in_order()
    {
        var bed = new KafkaLogBed(broker) { AppendWithin = TimeSpan.FromSeconds(10) };
        var acknowledged = new ConcurrentDictionary<int, int>();
        await using (var log = await bed.OpenAsync(TimeProvider.System))
        {
            await log.EnsureAsync(Partitions);
            using var stop = new CancellationTokenSource();
            var writers = Enumerable.Range(0, 8).Select(w => Task.Run(() => AppendAsync(log, w, acknowledged, stop.Token)))
                .ToArray();
            for (var round = 0; round < 2; round++)
            {
                await ProgressAsync(acknowledged);
                await broker.KillAsync();
                await broker.StartAsync();
            }

            await ProgressAsync(acknowledged);
            await stop.CancelAsync();
            await Task.WhenAll(writers);
            await HoldsAsync(log, acknowledged);
        }

        await using var reopened = await bed.OpenAsync(TimeProvider.System);
        await HoldsAsync(reopened, acknowledged);
    }

    [SkippableFact]
    public async Task While_no_broker_answers_nothing_is_acknowledged_and_the_log_goes_on_by_itself()
    {
        var bed = new KafkaLogBed(broker) { AppendWithin = TimeSpan.FromSeconds(10) };
        await using var log = await bed.OpenAsync(TimeProvider.System);
        await log.EnsureAsync();
        await log.AppendAsync(LogFacts.Batch(new Position(1, 1, 0), "1"));
        await broker.KillAsync();
        try
        {
            var refused = await Should.ThrowAsync<SyncException>(
                () => log.AppendAsync(LogFacts.Batch(new Position(1, 2, 0), "2")));
            refused.Error.Code.ShouldBe(ErrorCode.StorageUnavailable);
            refused.Error.Suggestion.ShouldNotBeNull();
            log.Obstacle.ShouldNotBeNull().Code.ShouldBe(ErrorCode.StorageUnavailable);
            var unknown = await Should.ThrowAsync<SyncException>(
                () => log.ReadPositionAsync("acme/shop", default).AsTask());
            unknown.Error.Code.ShouldBe(ErrorCode.StorageUnavailable, "whether the append took effect is open");
        }
        finally
        {
            await broker.StartAsync();
        }

        await Eventually.BecomesAsync(() => log.Obstacle is null);
        log.Failed.IsCompleted.ShouldBeFalse();
        var position = await log.ReadPositionAsync("acme/shop", default);
        var values = await log.ReadAllAsync();
        // Either both of the refused append took effect, or neither.
        (position, values.Count).ShouldBeOneOf((new Position(1, 1, 0), 1), (new Position(1, 2, 0), 2));
        await log.AppendAsync(LogFacts.Batch(new Position(1, 3, 0), "3"));
        (await log.ReadAllAsync())[^1].ShouldBe("3");
    }

    [SkippableFact]
    public async Task While_no_broker_answers_a_read_ends_with_the_reason_and_at_once_when_nobody_wants_it_any_more()
    {
        await using var log = await new KafkaLogBed(broker).OpenAsync(TimeProvider.System);
        await log.EnsureAsync();
        await log.AppendAsync(LogFacts.Batch(new Position(1, 1, 0), "1", "2", "3"));
        await broker.KillAsync();
        try
        {
            var refused = await Should.ThrowAsync<SyncException>(() => ReadAsync(log, default).WaitAsync(TimeSpan.FromMinutes(3)));
            refused.Error.Code.ShouldBe(ErrorCode.StorageUnavailable);
            using var unwanted = new CancellationTokenSource();
            var reading = ReadAsync(log, unwanted.Token);
            reading.IsCompleted.ShouldBeFalse();
            await unwanted.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => reading.WaitAsync(TimeSpan.FromSeconds(10)));
        }
        finally
        {
            await broker.StartAsync();
        }

        (await log.ReadAllAsync()).ShouldBe(["1", "2", "3"]);
    }

    [SkippableFact]
    public async Task A_process_that_was_replaced_can_append_nothing_more_and_ends()
    {
        var bed = new KafkaLogBed(broker);
        await using var stale = await bed.OpenAsync(TimeProvider.System);
        await stale.EnsureAsync();
        await stale.AppendAsync(LogFacts.Batch(new Position(1, 1, 0), "stale 1"));
        await using var owner = await bed.OpenAsync(TimeProvider.System);
        await owner.AppendAsync(LogFacts.Batch(new Position(1, 2, 0), "owner 1"));

        await Should.ThrowAsync<SyncException>(() => stale.AppendAsync(LogFacts.Batch(new Position(1, 3, 0), "stale 2")));
        var failed = await stale.Failed.WaitAsync(TimeSpan.FromMinutes(2));
        failed.Code.ShouldBe(ErrorCode.StorageFenced);
        var refused = await Should.ThrowAsync<SyncException>(
            () => stale.AppendAsync(LogFacts.Batch(new Position(1, 3, 0), "stale 3")));
        refused.Error.Code.ShouldBe(ErrorCode.StorageFenced);

        await owner.AppendAsync(LogFacts.Batch(new Position(1, 4, 0), "owner 2"));
        (await owner.ReadAllAsync()).ShouldBe(["stale 1", "owner 1", "owner 2"]);
        owner.Failed.IsCompleted.ShouldBeFalse();
    }

    [SkippableFact]
    public async Task The_latest_deliveries_of_every_partition_are_remembered_after_a_start()
    {
        const int remembered = 20;
        var bed = new KafkaLogBed(broker) { DeliveriesMax = remembered };
        await using (var log = await bed.OpenAsync(TimeProvider.System))
        {
            await log.EnsureAsync(Partitions);
            for (var n = 0; n < remembered * Partitions * 2; n++)
            {
                await log.AppendAsync(LogFacts.Delivery($"evt_{n}", $"k{n}", "1"));
            }
        }

        await using var reopened = await bed.OpenAsync(TimeProvider.System);
        for (var n = (remembered * Partitions * 2) - remembered; n < remembered * Partitions * 2; n++)
        {
            (await reopened.AppendAsync(LogFacts.Delivery($"evt_{n}", $"k{n}", "1"))).Dropped.ShouldBe(1, $"delivery {n}");
        }
    }

    private static async Task AppendAsync(
        IChangeLog log, int writer, ConcurrentDictionary<int, int> acknowledged, CancellationToken stop)
    {
        var source = $"source{writer}";
        var next = 0;
        while (!stop.IsCancellationRequested)
        {
            using var batch = new ChangeBatch { Position = new Position(1, (ulong)next + 1, 0) };
            for (var part = 0; part < 3; part++)
            {
                batch.Add("customers", RecordKey.Of($"{writer}:{part}"), Encoding.UTF8.GetBytes($"{writer}:{next}:{part}"));
            }

            try
            {
                await log.AppendAsync(source, batch, static _ => LogFacts.Topic, default);
                acknowledged[writer] = ++next;
            }
            catch (SyncException e) when (e.Error.Code == ErrorCode.StorageUnavailable)
            {
                next = await ResumeAsync(log, source);
            }
        }
    }

    /// <summary>As a source does: where the log says that it has got to.</summary>
    private static async Task<int> ResumeAsync(IChangeLog log, string source)
    {
        await Eventually.BecomesAsync(() => log.Obstacle is null);
        try
        {
            return (int)((await log.ReadPositionAsync(source, default))?.Major ?? 0);
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.StorageUnavailable)
        {
            return await ResumeAsync(log, source);
        }
    }

    private static async Task ProgressAsync(ConcurrentDictionary<int, int> acknowledged)
    {
        var before = acknowledged.Values.Sum();
        await Eventually.BecomesAsync(() => acknowledged.Values.Sum() > before + 200);
    }

    private static async Task HoldsAsync(IChangeLog log, ConcurrentDictionary<int, int> acknowledged)
    {
        var seen = new Dictionary<string, List<int>>();
        for (var partition = 0; partition < Partitions; partition++)
        {
            foreach (var value in await log.ReadAllAsync(partition, entriesMax: 1000))
            {
                var parts = value.Split(':');
                var key = $"{parts[0]}:{parts[2]}";
                seen.TryAdd(key, []);
                seen[key].Add(int.Parse(parts[1], CultureInfo.InvariantCulture));
            }
        }

        foreach (var (writer, count) in acknowledged)
        {
            for (var part = 0; part < 3; part++)
            {
                var order = seen[$"{writer}:{part}"];
                order.ShouldBe(Enumerable.Range(0, order.Count), $"writer {writer}, part {part}");
                order.Count.ShouldBeGreaterThanOrEqualTo(count);
            }
        }
    }

    private static Task<LogPage> ReadAsync(IChangeLog log, CancellationToken cancellationToken) =>
        log.ReadAsync(LogFacts.Topic, 0, 0, 10, 1 << 20, cancellationToken).AsTask();
}
