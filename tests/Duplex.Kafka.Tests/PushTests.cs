using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Duplex.Conformance;
using Duplex.Engine.Config;
using Duplex.Engine.Feeds;
using Duplex.Engine.Push;
using Duplex.Kafka.Pushing;
using Duplex.Push.Tests;
using Duplex.Sdk;
using Duplex.Simulators.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;
using ErrorCode = Duplex.Sdk.ErrorCode;

namespace Duplex.Kafka.Tests;

/// <summary>Feeds that are pushed to topics.</summary>
[Collection(KafkaCollection.Name)]
public sealed class PushTests(KafkaBroker broker)
{
    private readonly string _topic = $"push-{Guid.NewGuid():N}"[..16];

    [SkippableFact]
    public async Task Every_record_is_there_once_with_key_headers_and_body_in_the_order_of_its_key()
    {
        KafkaBroker.Require();
        await using var bed = await PushBed.OpenAsync();
        await using var topics = new KafkaPushes(null, NullLoggerFactory.Instance);
        await bed.AppendAsync(new FeedItem(0, "users", """["7"]"""u8.ToArray(), ChangeOperation.Delete, "e-1", "42", 0,
            """{"name":"Zoë"}"""u8.ToArray()));
        await bed.AppendAsync(Enumerable.Range(0, 500).Select(static n => $"k{n % 7}"));
        bed.Start(Model() with { Topic = Topic() with { Partitions = 4 } }, topics: topics.Open);
        await bed.DeliveredAsync(501);

        var found = Read(501);
        found.Select(static m => m.Offset).Order().ShouldBe(Enumerable.Range(1, 501).Select(static n => (long)n));
        found.GroupBy(static m => m.Key).ShouldAllBe(static g => g.Select(static m => m.Offset).SequenceEqual(
            g.Select(static m => m.Offset).Order()));
        found.GroupBy(static m => m.Key).ShouldAllBe(static g => g.Select(static m => m.Partition).Distinct().Count() == 1);
        var first = found.Single(static m => m.Offset == 1);
        first.Key.ShouldBe("""["7"]""");
        first.Headers.ShouldBe(new Dictionary<string, string>
        {
            ["content-type"] = "application/json",
            ["duplex.customer"] = PushBed.Feed,
            ["duplex.table"] = "users",
            ["duplex.operation"] = "DELETE",
            ["duplex.offset"] = "1",
            ["duplex.message"] = first.Body.GetProperty("data").GetProperty("messageId").GetString()!,
            ["duplex.event"] = "e-1",
            ["duplex.version"] = "42",
        }, ignoreOrder: true);
        first.Body.GetProperty("type").GetString().ShouldBe("users.deleted");
        first.Body.GetProperty("data").GetProperty("transformedData").GetRawText().ShouldBe("""{"name":"Zoë"}""");
        found.Single(static m => m.Offset == 2).Headers.Keys.ShouldNotContain("duplex.version");
        (await bed.PositionAsync()).ShouldBe(501);
        (await bed.RecordsAsync()).ShouldAllBe(static r => r.Status == FeedStatus.Delivered && r.Attempts == 1 && r.Error == null);
        (await PrivateKafka.RunAsync("kafka-topics.sh", "--bootstrap-server", broker.Bootstrap, "--describe", "--topic", _topic))
            .ShouldContain("PartitionCount: 4");
    }

    [SkippableFact]
    public async Task A_process_that_dies_before_it_notes_what_the_brokers_have_sends_it_again_and_skips_nothing()
    {
        KafkaBroker.Require();
        await using var bed = await PushBed.OpenAsync();
        await using var topics = new KafkaPushes(null, NullLoggerFactory.Instance);
        await bed.AppendAsync(Enumerable.Range(0, 100).Select(static n => $"k{n % 5}"));
        bed.Start(Model(), CrashingFeeds.Around(bed.Feeds), topics: topics.Open);
        (await bed.EndAsync()).ShouldBeOfType<SyncException>().Error.Code.ShouldBe(ErrorCode.StorageFailed);
        await bed.StopAsync();
        (await bed.PositionAsync()).ShouldBe(0, "nothing that was sent is noted");

        bed.Start(Model(), topics: topics.Open);
        await bed.DeliveredAsync(100);
        await bed.StopAsync();
        bed.Start(Model(), topics: topics.Open);
        await bed.AppendAsync("last");
        await bed.DeliveredAsync(1);
        var found = Read(offsetMax: 101);
        found.Count.ShouldBeGreaterThan(101, "what was under way came again");
        EachKeyInOrder(found, 101);
    }

    [SkippableFact]
    public async Task Around_killed_brokers_nothing_is_lost_and_status_says_why_it_waits()
    {
        KafkaBroker.Require();
        await using var bed = await PushBed.OpenAsync();
        await using var topics = new KafkaPushes(null, NullLoggerFactory.Instance);
        bed.Start(Model() with { Timeout = TimeSpan.FromSeconds(2) }, topics: topics.Open);
        await bed.AppendAsync(Enumerable.Range(0, 200).Select(static n => $"k{n % 9}"));
        await Eventually.BecomesAsync(() => bed.Status.Delivered > 20);
        await broker.KillAsync();
        try
        {
            await bed.AppendAsync(Enumerable.Range(0, 200).Select(static n => $"k{n % 9}"));
            await Eventually.BecomesAsync(() => bed.Status is { State: PushState.Failing, Error: not null });
            bed.Status.Error!.Message.ShouldContain(_topic);
            bed.Status.GivenUp.ShouldBe(0);
            (await bed.PositionAsync()).ShouldBeLessThan(400);
        }
        finally
        {
            await broker.StartAsync();
        }

        await Eventually.BecomesAsync(() => bed.Status.Position == 400);
        bed.Status.State.ShouldBe(PushState.Running);
        (await bed.RecordsAsync()).ShouldAllBe(static r => r.Status == FeedStatus.Delivered && r.Attempts == 1);
        EachKeyInOrder(Read(offsetMax: 400), 400);
    }

    [SkippableFact]
    public async Task A_record_that_the_topic_does_not_take_fails_and_delays_no_other()
    {
        KafkaBroker.Require();
        using (var admin = new AdminClientBuilder([new("bootstrap.servers", broker.Bootstrap)]).Build())
        {
            await admin.CreateTopicsAsync(
            [
                new TopicSpecification { Name = _topic, Configs = new() { ["max.message.bytes"] = "20000" } },
            ]);
        }

        await using var bed = await PushBed.OpenAsync();
        await using var topics = new KafkaPushes(null, NullLoggerFactory.Instance);
        var large = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(60_000));
        await bed.AppendAsync(new FeedItem(0, "users", """["large"]"""u8.ToArray(), ChangeOperation.Create, null, null, 0,
            Encoding.UTF8.GetBytes($"\"{large}\"")));
        await bed.AppendAsync("small");
        bed.Start(Model() with { Retry = [TimeSpan.FromMilliseconds(10)], Parallelism = 1 }, topics: topics.Open);
        await Eventually.BecomesAsync(() => bed.Status is { GivenUp: 1, Delivered: 1 });
        var record = await bed.RecordAsync(1);
        (record.Status, record.Attempts).ShouldBe((FeedStatus.Failed, 2));
        record.Error!.ShouldContain("does not take the record");
        (await bed.RecordAsync(2)).Status.ShouldBe(FeedStatus.Delivered);
    }

    [SkippableFact]
    public async Task Nothing_is_pushed_to_a_topic_of_the_change_log()
    {
        var log = new KafkaLogBed(broker);
        await using var opened = (KafkaChangeLog)await log.OpenAsync(TimeProvider.System);
        await opened.EnsureAsync();
        var ends = (await opened.DescribeAsync(default)).Select(static p => p.NextOffset).ToList();
        await using var bed = await PushBed.OpenAsync();
        await using var topics = new KafkaPushes(opened, NullLoggerFactory.Instance);
        await bed.AppendAsync("k");
        bed.Start(Model() with { Topic = Topic() with { Name = $"{log.Prefix}.{LogFacts.Topic}" } }, topics: topics.Open);
        await Eventually.BecomesAsync(() => bed.Status is { State: PushState.Failing, Error: not null });
        bed.Status.Error!.Message.ShouldContain("belongs to the change log");
        (await opened.ReadAllAsync()).ShouldBeEmpty();
        (await opened.DescribeAsync(default)).Select(static p => p.NextOffset).ShouldBe(ends);
        opened.Owns(_topic).ShouldBeFalse();
    }

    private PushTopic Topic() => new(_topic, new KafkaModel(broker.Bootstrap));

    private PushModel Model() => new() { Feed = PushBed.Feed, Topic = Topic(), Parallelism = 64, Jitter = 0 };

    /// <summary>Every record came, and the first of each came after the first of the one before it of its key. A record that
    /// comes again is told by its offset.</summary>
    private static void EachKeyInOrder(IReadOnlyList<Found> found, int count)
    {
        var firsts = found.DistinctBy(static m => m.Offset).ToList();
        firsts.Count.ShouldBe(count);
        firsts.GroupBy(static m => m.Key).ShouldAllBe(static g => g.Select(static m => m.Offset).SequenceEqual(
            g.Select(static m => m.Offset).Order()));
    }

    /// <summary>What the topic holds, until it has so many records or, for copies, shows nothing more.</summary>
    private List<Found> Read(int count = int.MaxValue, long offsetMax = long.MaxValue)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(
            [
                new("bootstrap.servers", broker.Bootstrap), new("group.id", _topic), new("enable.partition.eof", "true"),
                new("auto.offset.reset", "earliest"), new("enable.auto.commit", "false"),
            ]).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var partitions = admin.GetMetadata(_topic, TimeSpan.FromMinutes(2)).Topics[0].Partitions.Select(
            p => new TopicPartitionOffset(_topic, p.PartitionId, Offset.Beginning)).ToList();
        consumer.Assign(partitions);
        var (found, ended) = (new List<Found>(), 0);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (ended < partitions.Count)
        {
            var read = consumer.Consume(patience.Token);
            if (read.IsPartitionEOF)
            {
                ended++;
                continue;
            }

            found.Add(new Found(read.Partition.Value, Encoding.UTF8.GetString(read.Message.Key),
                read.Message.Headers.ToDictionary(static h => h.Key, static h => Encoding.UTF8.GetString(h.GetValueBytes())),
                JsonElement.Parse(read.Message.Value)));
        }

        found.Count.ShouldBeGreaterThanOrEqualTo(count == int.MaxValue ? 0 : count);
        found.ShouldAllBe(m => m.Offset <= offsetMax);
        return found;
    }

    private sealed record Found(int Partition, string Key, IReadOnlyDictionary<string, string> Headers, JsonElement Body)
    {
        public long Offset { get; } = long.Parse(Headers["duplex.offset"], CultureInfo.InvariantCulture);
    }
}
