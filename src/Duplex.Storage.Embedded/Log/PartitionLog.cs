using System.Buffers;
using System.Text;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Log;

/// <summary>
/// One partition in memory. What readers see changes after a commit only; the staged side belongs to the writer's
/// thread.
/// </summary>
internal sealed class PartitionLog(long id, Topic topic, int number, Extent extent)
{
    private const int BlockBytesMax = 512 * 1024;

    private readonly Lock _gate = new();
    private volatile Extent _extent = extent;
    private TaskCompletionSource? _growth;

    private byte[] _block = [];
    private int _length;
    private int _count;
    private int _blockBytes;
    private int _deliveries;
    private long _blockMicros;

    public long Id { get; } = id;

    public Topic Topic { get; } = topic;

    public int Number { get; } = number;

    /// <summary>What readers find.</summary>
    public Extent Extent => _extent;

    /// <summary>What it holds once the open transaction is on disk; without the entries that are not in a block
    /// yet.</summary>
    public Extent Staged { get; private set; } = extent;

    /// <summary>Adds an entry to the block of the open transaction.</summary>
    public void Stage(Database database, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, string? delivery,
        long micros)
    {
        var idBytes = delivery is null ? 0 : Encoding.UTF8.GetByteCount(delivery);
        var needed = key.Length + value.Length + idBytes + BlockFormat.EntryOverheadMax;
        if (_count > 0 && _length + needed > BlockBytesMax)
        {
            Flush(database);
        }

        Reserve(needed);
        if (_count == 0)
        {
            _block[0] = BlockFormat.Version;
            _length = 1;
            _blockMicros = micros;
        }

        _length += BlockFormat.WriteLength(_block.AsSpan(_length), key.Length);
        _length += BlockFormat.WriteLength(_block.AsSpan(_length), value.Length);
        _length += BlockFormat.WriteLength(_block.AsSpan(_length), delivery is null ? 0 : idBytes + 1);
        key.CopyTo(_block.AsSpan(_length));
        value.CopyTo(_block.AsSpan(_length + key.Length));
        _length += key.Length + value.Length;
        if (delivery is not null)
        {
            _length += Encoding.UTF8.GetBytes(delivery, _block.AsSpan(_length));
            _deliveries++;
        }

        _count++;
        _blockBytes += key.Length + value.Length;
    }

    /// <summary>Writes what is staged, and the partition's new end.</summary>
    public void WriteStaged(Database database)
    {
        Flush(database);
        database.Prepared(LogSql.UpdatePartition)
            .Bind(1, Id).Bind(2, Staged.First).Bind(3, Staged.Next).Bind(4, Staged.Bytes).Run();
    }

    /// <summary>Shows readers what was staged, once it is on disk.</summary>
    public void Publish()
    {
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
        Forget();
    }

    /// <summary>Drops what was staged.</summary>
    public void Unstage()
    {
        Staged = _extent;
        Forget();
    }

    /// <summary>Moves the beginning behind a block that the open transaction removes.</summary>
    public void StageTrim(long first, long bytesRemoved, long oldestMicros) =>
        Staged = Staged with { First = first, Bytes = Staged.Bytes - bytesRemoved, OldestMicros = oldestMicros };

    /// <summary>Completes when the partition grows past the offset; null if it has already.</summary>
    public Task? Growth(long offset)
    {
        lock (_gate)
        {
            if (_extent.Next > offset)
            {
                return null;
            }

            _growth ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _growth.Task;
        }
    }

    private void Flush(Database database)
    {
        if (_count == 0)
        {
            return;
        }

        if (Staged.Next + _count > BlockNumber.OffsetMax)
        {
            throw new InvalidOperationException($"Partition {Number} of {Topic.Name} has no offsets left.");
        }

        var number = BlockNumber.Of(Id, Staged.Next);
        var data = _block.AsSpan(0, _length);
        database.Prepared(LogSql.InsertBlock)
            .Bind(1, number).Bind(2, _count).Bind(3, _blockBytes).Bind(4, _blockMicros).Bind(5, _deliveries)
            .Bind(6, BlockFormat.Check(number, _count, _blockMicros, data)).Bind(7, data).Run();
        Staged = new Extent(Staged.First, Staged.Next + _count, Staged.Bytes + _blockBytes,
            Staged.IsEmpty ? _blockMicros : Staged.OldestMicros);
        _count = _length = _blockBytes = _deliveries = 0;
    }

    private void Forget()
    {
        _count = _length = _blockBytes = _deliveries = 0;
        if (_block.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = [];
        }
    }

    private void Reserve(int needed)
    {
        if (_block.Length - _length > needed)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_block.Length * 2, _length + needed + 1));
        _block.AsSpan(0, _length).CopyTo(larger);
        if (_block.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_block);
        }

        _block = larger;
    }
}
