using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Duplex.Conformance;
using Duplex.Engine.Log;
using Duplex.Kafka.Topics;
using Duplex.Sdk;
using Duplex.Simulators.Kafka;
using Shouldly;
using Xunit;

namespace Duplex.Kafka.Tests;

/// <summary>What programs that know Kafka and not Duplex see.</summary>
[Collection(KafkaCollection.Name)]
public sealed class OutsiderTests(KafkaBroker broker)
{
    [SkippableFact]
    public async Task Kafkas_own_console_consumer_reads_debezium_envelopes_with_their_keys()
    {
        var bed = new KafkaLogBed(broker);
        await using var log = await bed.OpenAsync(TimeProvider.System);
        await log.EnsureAsync();
        using var batch = new ChangeBatch();
        var change = new Change
        {
            Operation = ChangeOperation.Update,
            Stream = "customers",
            Key = RecordKey.Of("7", "größe"),
            After = Duplex.Sdk.Record.FromJson("""{"id":7,"name":"Zoë"}"""),
            SourceMicros = 1767225600000000,
            Id = "evt_7",
        };
        batch.Begin("customers", change.Key);
        ChangeEnvelope.Write(batch, change, "postgres", "shop");
        batch.End("evt_7");
        await log.AppendAsync("acme/shop", batch, static _ => LogFacts.Topic, default);

        var line = (await PrivateKafka.RunAsync("kafka-console-consumer.sh", "--bootstrap-server", broker.Bootstrap,
            "--topic", $"{bed.Prefix}.{LogFacts.Topic}", "--from-beginning", "--max-messages", "1", "--timeout-ms", "180000",
            "--isolation-level", "read_committed", "--property", "print.key=true", "--property", "print.headers=true"))
            .TrimEnd('\n').Split('\t');

        line[0].ShouldContain("duplex.source:acme/shop");
        line[0].ShouldContain("duplex.delivery:evt_7");
        line[0].ShouldContain("duplex.op:u");
        JsonElement.Parse(line[1]).EnumerateArray().Select(static p => p.GetString()).ShouldBe(["7", "größe"]);
        var envelope = JsonElement.Parse(line[2]);
        envelope.GetProperty("op").GetString().ShouldBe("u");
        envelope.GetProperty("after").GetProperty("name").GetString().ShouldBe("Zoë");
        envelope.GetProperty("source").GetProperty("connector").GetString().ShouldBe("postgres");
        envelope.GetProperty("ts_ms").ValueKind.ShouldBe(JsonValueKind.Number);
    }

    [SkippableFact]
    public async Task The_lag_of_a_consumer_is_that_of_its_group()
    {
        var bed = new KafkaLogBed(broker);
        await using var log = await bed.OpenAsync(TimeProvider.System);
        await log.EnsureAsync();
        await log.AppendAsync(LogFacts.Batch(null, "1", "2", "3"));
        await log.AdvanceConsumerAsync("acme/customers:a", LogFacts.Topic, 0, 2, default);
        using var group = new ConsumerBuilder<byte[], byte[]>(
            [new("bootstrap.servers", broker.Bootstrap), new("group.id", $"{bed.Prefix}.acme/customers:a")]).Build();
        var partition = new TopicPartition($"{bed.Prefix}.{LogFacts.Topic}", 0);

        await Eventually.BecomesAsync(
            () => group.Committed([partition], TimeSpan.FromMinutes(2))[0].Offset.Value == 2);
        await log.RemoveConsumerAsync("acme/customers:a", default);
        await Eventually.BecomesAsync(
            () => group.Committed([partition], TimeSpan.FromMinutes(2))[0].Offset == Offset.Unset);
    }

    [SkippableFact]
    public async Task A_topic_has_the_partitions_and_the_retention_that_were_asked_for()
    {
        var bed = new KafkaLogBed(broker) { BrokerRetention = true };
        await using var log = await bed.OpenAsync(TimeProvider.System);
        await log.EnsureTopicAsync(new TopicSpec("t", 4, TimeSpan.FromHours(2), 4_000_000), default);
        (await DescribeAsync(bed)).ShouldSatisfyAllConditions(
            static d => d.ShouldContain("PartitionCount: 4"),
            static d => d.ShouldContain("retention.ms=7200000"),
            static d => d.ShouldContain("retention.bytes=1000000"));

        await log.EnsureTopicAsync(new TopicSpec("t", 4, TimeSpan.FromHours(1), 4_000_000), default);
        (await DescribeAsync(bed)).ShouldContain("retention.ms=3600000");
    }

    [SkippableFact]
    public async Task Entries_go_to_the_partition_that_kafkas_own_clients_choose()
    {
        KafkaBroker.Require();
        var bed = new KafkaLogBed(broker);
        await using var log = await bed.OpenAsync(TimeProvider.System);
        await log.EnsureAsync(partitions: 7);
        using var producer = new ProducerBuilder<byte[], byte[]>(
            [new("bootstrap.servers", broker.Bootstrap), new("partitioner", "murmur2_random")]).Build();
        foreach (var id in Enumerable.Range(0, 50))
        {
            var key = Encoding.UTF8.GetBytes(RecordKey.Of($"{id * 37}", new string('ä', id % 5)).Json);
            var placed = await producer.ProduceAsync(
                $"{bed.Prefix}.{LogFacts.Topic}", new Message<byte[], byte[]> { Key = key, Value = [] });
            Murmur2.Partition(key, 7).ShouldBe(placed.Partition.Value);
        }
    }

    private Task<string> DescribeAsync(KafkaLogBed bed) => PrivateKafka.RunAsync("kafka-topics.sh",
        "--bootstrap-server", broker.Bootstrap, "--describe", "--topic", $"{bed.Prefix}.t");
}
