using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Duplex.Engine.Log;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Ledgers;
using Duplex.Kafka.Writing;
using Duplex.Sdk;
using KafkaCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Topics;

/// <summary>Makes topics, and gives them the retention that they are wanted with.</summary>
internal sealed class TopicMaker(ClientFactory clients, LogCatalog catalog, LogWriter writer, KafkaLogOptions options)
    : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(20);
    private readonly SemaphoreSlim _one = new(1);
    private readonly Lazy<IAdminClient> _admin = new(clients.Admin);

    public async Task EnsureAsync(TopicSpec spec, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!catalog.Topics.TryGetValue(spec.Name, out var topic))
            {
                await CreateAsync(spec).ConfigureAwait(false);
            }
            else if (topic.Spec with { Partitions = spec.Partitions } != spec)
            {
                await ChangeAsync(topic, spec).ConfigureAwait(false);
            }
        }
        catch (KafkaException e)
        {
            throw new SyncException(Faults.Unavailable($"Topic {spec.Name} cannot be made", e.Error), e);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose()
    {
        if (_admin.IsValueCreated)
        {
            _admin.Value.Dispose();
        }
    }

    private async Task CreateAsync(TopicSpec spec)
    {
        var name = TopicName.Of(clients, spec.Name);
        try
        {
            await _admin.Value.CreateTopicsAsync([new TopicSpecification
            {
                Name = name,
                NumPartitions = spec.Partitions,
                ReplicationFactor = options.Replicas == 0 ? (short)-1 : options.Replicas,
                Configs = Settings(spec),
            }]).ConfigureAwait(false);
        }
        catch (CreateTopicsException e)
        {
            if (e.Results.FirstOrDefault(static r => r.Error.IsError)?.Error is { } error
                && error.Code != KafkaCode.TopicAlreadyExists)
            {
                throw new KafkaException(error);
            }
        }

        var partitions = await Task.Run(() => Partitions(name)).ConfigureAwait(false);
        var made = new Topic(spec with { Partitions = partitions }, name);
        await writer.RunAsync(new ActionRequest<bool>(transaction => Adopt(transaction, made))).ConfigureAwait(false);
        catalog.Topics[spec.Name] = made;
    }

    private bool Adopt(Transaction transaction, Topic topic)
    {
        writer.Measure(topic);
        transaction.Put(LedgerKey.Of(LedgerKey.Topic, topic.Name), Ledger.OfTopic(topic.Spec));
        return true;
    }

    private async Task ChangeAsync(Topic topic, TopicSpec spec)
    {
        await _admin.Value.AlterConfigsAsync(new Dictionary<ConfigResource, List<ConfigEntry>>
        {
            [new ConfigResource { Type = ResourceType.Topic, Name = topic.KafkaName }] =
                [.. Settings(spec).Select(static s => new ConfigEntry { Name = s.Key, Value = s.Value })],
        }).ConfigureAwait(false);
        var changed = spec with { Partitions = topic.Partitions.Count };
        await writer.RunAsync(new ActionRequest<bool>(transaction =>
        {
            transaction.Put(LedgerKey.Of(LedgerKey.Topic, topic.Name), Ledger.OfTopic(changed));
            return true;
        })).ConfigureAwait(false);
        topic.Spec = changed;
    }

    // A topic that was just made is known to every broker a little later.
    private int Partitions(string name)
    {
        var deadline = Environment.TickCount64 + (long)Within.TotalMilliseconds;
        while (true)
        {
            var found = _admin.Value.GetMetadata(name, Within).Topics.FirstOrDefault(t => t.Topic == name);
            if (found is { Error.IsError: false, Partitions.Count: > 0 }
                && found.Partitions.TrueForAll(static p => p.Leader >= 0))
            {
                return found.Partitions.Count;
            }

            if (Environment.TickCount64 > deadline)
            {
                throw new KafkaException(KafkaCode.UnknownTopicOrPart);
            }

            Thread.Sleep(20);
        }
    }

    private Dictionary<string, string> Settings(TopicSpec spec)
    {
        // Kafka bounds each partition, and the specification the topic.
        var (age, bytes) = options.BrokerRetention
            ? ((long)spec.RetentionAge.TotalMilliseconds, Math.Max(1, spec.RetentionBytes / spec.Partitions))
            : (-1, -1);
        return new Dictionary<string, string>
        {
            ["cleanup.policy"] = "delete",
            ["retention.ms"] = age.ToString(CultureInfo.InvariantCulture),
            ["retention.bytes"] = bytes.ToString(CultureInfo.InvariantCulture),
            ["max.message.bytes"] =
                (ClientFactory.EntryBytesMax + (1 << 20)).ToString(CultureInfo.InvariantCulture),
            ["message.timestamp.type"] = "CreateTime",
        };
    }
}
