using System.Collections.Concurrent;
using Duplex.Engine.Feeds;
using Duplex.Storage.Embedded.Log;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Feeds;

/// <summary>One feed in memory. What readers see changes after a commit only; what is staged belongs to the writer's
/// thread.</summary>
internal sealed class FeedLog(long id, string name, long epoch, Extent extent)
{
    private readonly Lock _gate = new();
    private readonly FeedBlock _block = new();
    private readonly ConcurrentDictionary<long, long> _lastOffsets = new();
    private readonly Dictionary<long, long> _stagedLastOffsets = [];
    private volatile Extent _extent = extent;
    private TaskCompletionSource? _growth;
    private long _epoch = epoch;

    public long Id { get; } = id;

    public string Name { get; } = name;

    /// <summary>Records older than this, in microseconds, may go.</summary>
    public long AgeMicros { get; set; }

    /// <summary>Bytes above which the oldest records go.</summary>
    public long BytesMax { get; set; }

    public NumberedNames Tables { get; } = new();

    public NumberedNames Sources { get; } = new();

    /// <summary>What readers find.</summary>
    public Extent Extent => _extent;

    /// <summary>What it holds once the open transaction is on disk; without the records that are not in a block
    /// yet.</summary>
    public Extent Staged { get; private set; } = extent;

    /// <summary>The offset that the next staged record gets.</summary>
    public long StagedNext => Staged.Next + _block.Count;

    /// <summary>The epoch as the open transaction leaves it.</summary>
    public long StagedEpoch { get; set; } = epoch;

    /// <summary>The feed as readers find it.</summary>
    public FeedState State
    {
        get
        {
            var now = _extent;
            return new FeedState(Name, now.First, now.Next - 1, now.Bytes, now.IsEmpty ? 0 : now.OldestMicros);
        }
    }

    /// <summary>Takes over what the database holds, when the store is opened.</summary>
    public void AddSource(string source, long number, long last)
    {
        Sources.Add(source, number);
        _lastOffsets[number] = last;
    }

    /// <summary>The highest offset of each source that begins with the prefix.</summary>
    public Dictionary<string, long> LastOffsets(string prefix)
    {
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (number, last) in _lastOffsets)
        {
            if (last >= 0 && Sources.TryName(number, out var source)
                && source.StartsWith(prefix, StringComparison.Ordinal))
            {
                found[source] = last;
            }
        }

        return found;
    }

    /// <summary>The highest offset of a source as the open transaction leaves it; -1 if it has none.</summary>
    public long StagedLastOffset(long source) => _stagedLastOffsets.TryGetValue(source, out var staged)
        ? staged
        : _lastOffsets.GetValueOrDefault(source, -1);

    public void StageLastOffset(long source, long last) => _stagedLastOffsets[source] = last;

    /// <summary>Adds a record to the block of the open transaction.</summary>
    public void Stage(Database database, in FeedItem item, long table, long source, long micros)
    {
        if (_block.IsFullFor(item))
        {
            Flush(database);
        }

        _block.Add(item, table, source, micros);
    }

    /// <summary>Moves the beginning behind blocks that the open transaction removes.</summary>
    public void StageTrim(long first, long bytesRemoved, long oldestMicros) =>
        Staged = Staged with { First = first, Bytes = Staged.Bytes - bytesRemoved, OldestMicros = oldestMicros };

    /// <summary>Writes what is staged, the feed's new end and how far its sources are.</summary>
    public void WriteStaged(Database database)
    {
        Flush(database);
        database.Prepared(FeedSql.UpdateFeed)
            .Bind(1, Id).Bind(2, Staged.First).Bind(3, Staged.Next).Bind(4, Staged.Bytes).Run();
        foreach (var (source, last) in _stagedLastOffsets)
        {
            database.Prepared(FeedSql.UpdateSource).Bind(1, source).Bind(2, last).Run();
        }
    }

    /// <summary>Shows readers what was staged, once it is on disk.</summary>
    public void Publish()
    {
        Tables.Publish();
        Sources.Publish();
        foreach (var (source, last) in _stagedLastOffsets)
        {
            _lastOffsets[source] = last;
        }

        _stagedLastOffsets.Clear();
        _block.Release();
        _epoch = StagedEpoch;
        TaskCompletionSource? growth = null;
        lock (_gate)
        {
            if (_extent.Next != Staged.Next)
            {
                growth = _growth;
                _growth = null;
            }

            _extent = Staged;
        }

        growth?.TrySetResult();
    }

    /// <summary>Drops what was staged.</summary>
    public void Unstage()
    {
        Tables.Unstage();
        Sources.Unstage();
        _stagedLastOffsets.Clear();
        _block.Release();
        StagedEpoch = _epoch;
        Staged = _extent;
    }

    /// <summary>Completes when the feed has a record after the offset; null if it has already.</summary>
    public Task? Growth(long afterOffset)
    {
        lock (_gate)
        {
            if (_extent.Next - 1 > afterOffset)
            {
                return null;
            }

            _growth ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _growth.Task;
        }
    }

    private void Flush(Database database)
    {
        if (_block.Count == 0)
        {
            return;
        }

        if (StagedNext > BlockNumber.OffsetMax)
        {
            throw new InvalidOperationException($"Feed {Name} has no offsets left.");
        }

        var number = BlockNumber.Of(Id, Staged.Next);
        database.Prepared(FeedSql.InsertBlock)
            .Bind(1, number).Bind(2, _block.Count).Bind(3, _block.PayloadBytes).Bind(4, _block.Micros)
            .Bind(5, BlockFormat.Check(number, _block.Count, _block.Micros, _block.Data)).Bind(6, _block.Data).Run();
        foreach (var table in _block.Tables)
        {
            database.Prepared(FeedSql.InsertTableBlock).Bind(1, table).Bind(2, number).Run();
        }

        Staged = new Extent(Staged.First, StagedNext, Staged.Bytes + _block.PayloadBytes,
            Staged.IsEmpty ? _block.Micros : Staged.OldestMicros);
        _block.Clear();
    }
}
