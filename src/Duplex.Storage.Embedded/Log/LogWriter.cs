using System.Collections.Concurrent;
using Duplex.Engine.Log;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Commits;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Log;

/// <summary>
/// The writing half of the log. Entries of all callers of a group that go to one partition become one block. Every
/// member but <see cref="Position"/> is called on the writer's thread.
/// </summary>
internal sealed class LogWriter(Database database, TopicCatalog topics, ConsumerOffsets consumers, TimeProvider clock)
    : IGroupObserver
{
    private readonly ConcurrentDictionary<string, Position> _positions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Position> _stagedPositions = new(StringComparer.Ordinal);
    private readonly HashSet<PartitionLog> _staged = [];
    private readonly Dictionary<string, Topic> _stagedTopics = new(StringComparer.Ordinal);
    private readonly DeliveryRows _deliveries = new(database);
    private BlockRemover? _remover;

    /// <summary>The stored position of a source.</summary>
    public Position? Position(string source) => _positions.GetValueOrDefault(source);

    public void Load()
    {
        foreach (var (source, position) in database.Prepared(LogSql.LoadSources).All(static row => (row.Text(0),
            new Position(row.Int64(1), (ulong)row.Int64(2), (ulong)row.Int64(3), row.TextOrNull(4)))))
        {
            _positions[source] = position;
        }
    }

    /// <summary>Creates the topic, or gives the existing one its retention.</summary>
    public Topic Ensure(TopicSpec spec)
    {
        var topic = topics.Find(spec.Name) ?? _stagedTopics.GetValueOrDefault(spec.Name);
        if (topic is null)
        {
            topic = TopicCatalog.Create(database, spec);
            _stagedTopics.Add(spec.Name, topic);
            return topic;
        }

        topic.AgeMicros = TopicCatalog.Micros(spec.RetentionAge);
        topic.BytesMax = spec.RetentionBytes;
        database.Prepared(LogSql.UpdateTopic).Bind(1, topic.Id).Bind(2, topic.AgeMicros).Bind(3, topic.BytesMax).Run();
        return topic;
    }

    /// <summary>Refuses a position behind the stored one.</summary>
    public void CheckPosition(string source, Position position)
    {
        if (!_stagedPositions.TryGetValue(source, out var stored))
        {
            _positions.TryGetValue(source, out stored);
        }

        if (stored is not null && !position.IsAtOrAfter(stored))
        {
            throw new SyncException(ErrorCode.StorageFenced,
                $"Source {source} is at {stored}; a batch that ends at {position} comes from a reader that was replaced.",
                "Nothing is lost: the reader that is ahead goes on. Let one process only capture this connection.");
        }
    }

    /// <summary>Makes room in a topic that has reached its quota, or refuses.</summary>
    public void CheckQuota(Topic topic)
    {
        if (topic.StagedBytes < topic.BytesMax)
        {
            return;
        }

        TrimToQuota(topic);
        if (topic.StagedBytes >= topic.BytesMax)
        {
            throw new SyncException(topic.QuotaReached());
        }
    }

    /// <summary>Adds an entry to the group. False if the topic holds its delivery id already.</summary>
    public bool Stage(PartitionLog partition, ChangeBatch batch, int index, long nowMicros)
    {
        var delivery = batch.Id(index);
        if (delivery is not null && !_deliveries.Take(partition.Topic, delivery))
        {
            return false;
        }

        _staged.Add(partition);
        partition.Stage(database, batch.Key(index), batch.Value(index), delivery, nowMicros);
        return true;
    }

    /// <summary>Whether the topic of a change holds its delivery's name under another digest.</summary>
    public bool IsOther(PartitionLog partition, ChangeBatch batch, int index) =>
        batch.Id(index) is { } id && !DeliveryId.IsPlain(id) && _deliveries.IsOther(partition.Topic, id);

    public void StagePosition(string source, Position position) => _stagedPositions[source] = position;

    /// <summary>Microseconds since 1970 UTC.</summary>
    public long NowMicros() => clock.NowMicros();

    /// <summary>
    /// Removes consumed blocks that are older than their topic's age, or that their topic has no room for.
    /// </summary>
    /// <returns>How many entries went; at most about <paramref name="blocksMax"/> blocks at once, so that appends do
    /// not wait.</returns>
    public long Trim(Topic topic, int blocksMax)
    {
        var removed = 0L;
        var cutoff = NowMicros() - topic.AgeMicros;
        foreach (var partition in topic.Partitions)
        {
            while (blocksMax > 0 && !partition.Staged.IsEmpty && partition.Staged.OldestMicros < cutoff)
            {
                var count = Remove(partition);
                if (count == 0)
                {
                    break;
                }

                removed += count;
                blocksMax--;
            }
        }

        return removed + TrimToQuota(topic, blocksMax);
    }

    /// <inheritdoc/>
    public void Committing()
    {
        foreach (var partition in _staged)
        {
            partition.WriteStaged(database);
        }

        foreach (var (source, position) in _stagedPositions)
        {
            database.Prepared(LogSql.PutSource).Bind(1, source).Bind(2, position.Epoch)
                .Bind(3, (long)position.Major).Bind(4, (long)position.Minor).Bind(5, position.Token).Run();
        }

        consumers.Write(database);
    }

    /// <inheritdoc/>
    public void Committed()
    {
        foreach (var (source, position) in _stagedPositions)
        {
            _positions[source] = position;
        }

        foreach (var partition in _staged)
        {
            partition.Publish();
        }

        foreach (var topic in _stagedTopics.Values)
        {
            topics.Add(topic);
        }

        consumers.Written();
        _stagedTopics.Clear();
        _stagedPositions.Clear();
        _staged.Clear();
    }

    /// <inheritdoc/>
    public void RolledBack()
    {
        foreach (var partition in _staged)
        {
            partition.Unstage();
        }

        consumers.NotWritten();
        _stagedTopics.Clear();
        _stagedPositions.Clear();
        _staged.Clear();
    }

    private long TrimToQuota(Topic topic, int blocksMax = 1_000)
    {
        var removed = 0L;
        while (blocksMax-- > 0 && topic.StagedBytes >= topic.BytesMax)
        {
            var count = 0L;
            foreach (var partition in topic.Partitions.Where(static p => !p.Staged.IsEmpty)
                .OrderBy(static p => p.Staged.OldestMicros))
            {
                count = Remove(partition);
                if (count > 0)
                {
                    break;
                }
            }

            if (count == 0)
            {
                break;
            }

            removed += count;
        }

        return removed;
    }

    private long Remove(PartitionLog partition)
    {
        _remover ??= new BlockRemover(database, _deliveries);
        var count = _remover.RemoveFirst(partition);
        if (count > 0)
        {
            _staged.Add(partition);
        }

        return count;
    }
}
