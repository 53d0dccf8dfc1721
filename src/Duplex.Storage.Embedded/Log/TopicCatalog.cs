using System.Collections.Concurrent;
using Duplex.Engine.Log;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Log;

/// <summary>The topics of a log, loaded at open and kept in memory.</summary>
internal sealed class TopicCatalog
{
    private readonly ConcurrentDictionary<string, Topic> _topics = new(StringComparer.Ordinal);

    public ICollection<Topic> All => _topics.Values;

    /// <summary>A topic that <see cref="IChangeLog.EnsureTopicAsync"/> made.</summary>
    public Topic Get(string name) => _topics.TryGetValue(name, out var topic)
        ? topic
        : throw new InvalidOperationException($"Topic {name} does not exist; EnsureTopicAsync comes first.");

    public PartitionLog Get(string name, int partition)
    {
        var topic = Get(name);
        return (uint)partition < (uint)topic.Partitions.Length
            ? topic.Partitions[partition]
            : throw new ArgumentOutOfRangeException(nameof(partition), partition,
                $"Topic {name} has {topic.Partitions.Length}.");
    }

    public Topic? Find(string name) => _topics.GetValueOrDefault(name);

    public void Add(Topic topic) => _topics[topic.Name] = topic;

    public void Load(Database database)
    {
        database.Prepared(LogSql.LoadTopics).All(static row =>
            new Topic(row.Int64(0), row.Text(1)) { AgeMicros = row.Int64(2), BytesMax = row.Int64(3) }).ForEach(Add);
        foreach (var topic in All)
        {
            topic.Partitions = LoadPartitions(database, topic);
            LoadConsumers(database, topic);
        }
    }

    /// <summary>Creates the topic's rows, in the open transaction.</summary>
    public static Topic Create(Database database, TopicSpec spec)
    {
        if ((database.Prepared(LogSql.LastPartition).Scalar() ?? 0) + spec.Partitions > BlockNumber.PartitionMax)
        {
            throw new SyncException(ErrorCode.StorageFull,
                $"The change log has no partitions left for topic {spec.Name}.",
                "Give some of the tenants a data directory of their own.");
        }

        database.Prepared(LogSql.InsertTopic)
            .Bind(1, spec.Name).Bind(2, Micros(spec.RetentionAge)).Bind(3, spec.RetentionBytes).Run();
        var topic = new Topic(database.LastRowId, spec.Name)
        {
            AgeMicros = Micros(spec.RetentionAge),
            BytesMax = spec.RetentionBytes,
        };
        var partitions = new PartitionLog[spec.Partitions];
        for (var number = 0; number < partitions.Length; number++)
        {
            database.Prepared(LogSql.InsertPartition).Bind(1, topic.Id).Bind(2, number).Run();
            partitions[number] = new PartitionLog(database.LastRowId, topic, number, Extent.Empty);
        }

        topic.Partitions = partitions;
        return topic;
    }

    public static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    private static PartitionLog[] LoadPartitions(Database database, Topic topic) =>
    [
        .. database.Prepared(LogSql.LoadPartitions).Bind(1, topic.Id).All(row =>
        {
            var id = row.Int64(0);
            var oldest = database.Prepared(LogSql.OldestBlock)
                .Bind(1, BlockNumber.Of(id, 0)).Bind(2, BlockNumber.Last(id)).Scalar() ?? 0;
            return new PartitionLog(
                id, topic, row.Int32(1), new Extent(row.Int64(2), row.Int64(3), row.Int64(4), oldest));
        }),
    ];

    private static void LoadConsumers(Database database, Topic topic)
    {
        foreach (var (consumer, partition, offset) in database.Prepared(LogSql.LoadConsumers).Bind(1, topic.Id)
            .All(static row => (row.Text(0), row.Int32(1), row.Int64(2))))
        {
            topic.Advance(consumer, partition, offset);
        }
    }
}
