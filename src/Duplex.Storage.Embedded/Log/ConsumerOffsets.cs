using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Log;

/// <summary>
/// Consumers' offsets on their way to the disk. They may lag behind, so they ride along with other commits, at most
/// once a second.
/// </summary>
internal sealed class ConsumerOffsets
{
    private const long MillisecondsBetween = 1_000;
    private readonly HashSet<(string Consumer, Topic Topic, int Partition)> _changed = [];
    private readonly List<(string Consumer, Topic Topic, int Partition)> _writing = [];
    private long _writtenAt;

    /// <summary>Notes that an offset differs from what is on disk.</summary>
    public void Changed(string consumer, Topic topic, int partition)
    {
        lock (_changed)
        {
            _changed.Add((consumer, topic, partition));
        }
    }

    /// <summary>Drops what waits for a consumer that is removed.</summary>
    public void Forget(string consumer)
    {
        lock (_changed)
        {
            _changed.RemoveWhere(change => change.Consumer == consumer);
        }
    }

    /// <summary>Writes what waits, in the open transaction; what changes meanwhile is written again later.</summary>
    public void Write(Database database)
    {
        _writing.Clear();
        var now = Environment.TickCount64;
        if (now - _writtenAt < MillisecondsBetween)
        {
            return;
        }

        lock (_changed)
        {
            _writing.AddRange(_changed);
            _changed.Clear();
            _writtenAt = _writing.Count > 0 ? now : _writtenAt;
        }

        foreach (var (consumer, topic, partition) in _writing)
        {
            Put(database, consumer, topic, partition);
        }
    }

    /// <summary>What was written is on disk.</summary>
    public void Written() => _writing.Clear();

    /// <summary>What was written was rolled back and waits again.</summary>
    public void NotWritten()
    {
        lock (_changed)
        {
            _changed.UnionWith(_writing);
        }

        _writing.Clear();
    }

    public static void Put(Database database, string consumer, Topic topic, int partition) =>
        database.Prepared(LogSql.PutConsumer).Bind(1, consumer).Bind(2, topic.Id).Bind(3, partition)
            .Bind(4, topic.ConsumerOffset(consumer, partition)).Run();
}
