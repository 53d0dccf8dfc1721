using System.Globalization;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Duplex.Engine.Log;
using Duplex.Kafka.Clients;
using Duplex.Sdk;
using KafkaCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Ledgers;

/// <summary>
/// What a log knows beside its entries, in one compacted topic: which log it is, who writes, topics with their retention, sources'
/// positions, consumers' offsets. The latest record of a key counts; all are written in the transactions of the entries
/// that they belong to.
/// </summary>
internal sealed class Ledger(ClientFactory clients)
{
    private static readonly TimeSpan ReadWithin = TimeSpan.FromSeconds(30);

    /// <summary>The topic's name in the cluster.</summary>
    public string KafkaName { get; } = clients.Name("duplex.positions");

    /// <summary>Makes the topic if it is not there.</summary>
    public void Ensure(IAdminClient admin, short replicas)
    {
        try
        {
            admin.CreateTopicsAsync([new TopicSpecification
            {
                Name = KafkaName,
                NumPartitions = 1,
                ReplicationFactor = replicas == 0 ? (short)-1 : replicas,
                Configs = new Dictionary<string, string>
                {
                    ["cleanup.policy"] = "compact",
                    ["min.cleanable.dirty.ratio"] = "0.3",
                    ["segment.bytes"] = "16777216",
                    ["max.message.bytes"] = "16777216",
                },
            }]).GetAwaiter().GetResult();
        }
        catch (CreateTopicsException e) when (e.Results.All(static r => r.Error.Code == KafkaCode.TopicAlreadyExists))
        {
            // Another start made it.
        }
    }

    /// <summary>Reads all of it.</summary>
    public LedgerContents Read()
    {
        using var consumer = clients.Consumer(clients.Name("duplex.reader"), headers: false, ends: true);
        // Asked first, the client knows the topic's leader at once; otherwise it finds out within a second.
        var only = new TopicPartition(KafkaName, 0);
        var begin = consumer.QueryWatermarkOffsets(only, ReadWithin).Low;
        consumer.Assign(new TopicPartitionOffset(only, begin));
        var contents = new LedgerContents();
        var deadline = Environment.TickCount64 + (long)ReadWithin.TotalMilliseconds;
        while (true)
        {
            if (consumer.ConsumeAwake(only, TimeSpan.FromMilliseconds(200)) is { } result)
            {
                if (result.IsPartitionEOF)
                {
                    return contents;
                }

                Take(contents, LedgerKey.Parse(result.Message.Key), result.Message.Value);
            }
            else if (Environment.TickCount64 > deadline)
            {
                throw new KafkaException(KafkaCode.Local_TimedOut);
            }
        }
    }

    public static byte[] OfTopic(TopicSpec spec) => JsonSerializer.SerializeToUtf8Bytes(new TopicRecord(
        spec.Partitions, (long)spec.RetentionAge.TotalMilliseconds, spec.RetentionBytes));

    public static byte[] OfPosition(Position position) => JsonSerializer.SerializeToUtf8Bytes(
        new PositionRecord(position.Epoch, position.Major, position.Minor, position.Token));

    public static byte[] OfOffset(long offset) => JsonSerializer.SerializeToUtf8Bytes(offset);

    private static void Take(LedgerContents contents, string[] key, byte[]? value)
    {
        switch (key)
        {
            case [LedgerKey.Owner] when value is not null:
                contents.Owner = JsonSerializer.Deserialize<string>(value);
                break;
            case [LedgerKey.Identity] when value is not null:
                contents.Identity = JsonSerializer.Deserialize<string>(value);
                break;
            case [LedgerKey.Topic, var name] when value is not null:
                var topic = JsonSerializer.Deserialize<TopicRecord>(value)!;
                contents.Topics[name] = new TopicSpec(
                    name, topic.Partitions, TimeSpan.FromMilliseconds(topic.RetentionMs), topic.RetentionBytes);
                break;
            case [LedgerKey.Source, var source] when value is not null:
                var position = JsonSerializer.Deserialize<PositionRecord>(value)!;
                contents.Positions[source] =
                    new Position(position.Epoch, position.Major, position.Minor, position.Token);
                break;
            case [LedgerKey.Consumer, var consumer, var name, var number]:
                var partition = (consumer, name, int.Parse(number, CultureInfo.InvariantCulture));
                if (value is null)
                {
                    contents.Offsets.Remove(partition);
                }
                else
                {
                    contents.Offsets[partition] = JsonSerializer.Deserialize<long>(value);
                }

                break;
            default:
                // A record of a later version is not ours to judge.
                break;
        }
    }

    private sealed record TopicRecord(int Partitions, long RetentionMs, long RetentionBytes);

    private sealed record PositionRecord(long Epoch, ulong Major, ulong Minor, string? Token);
}

/// <summary>What a ledger holds.</summary>
internal sealed class LedgerContents
{
    public string? Owner { get; set; }

    public string? Identity { get; set; }

    public Dictionary<string, TopicSpec> Topics { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, Position> Positions { get; } = new(StringComparer.Ordinal);

    public Dictionary<(string Consumer, string Topic, int Partition), long> Offsets { get; } = [];
}
