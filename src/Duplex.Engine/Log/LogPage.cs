using System.Buffers;

namespace Duplex.Engine.Log;

/// <summary>Entries read from one partition, in offset order, over one pooled buffer.</summary>
public sealed class LogPage : IDisposable
{
    private readonly List<LogEntry> _entries = [];
    private byte[] _buffer;
    private int _length;

    /// <summary>Rents a buffer of at least the given size, in bytes.</summary>
    public LogPage(int capacityBytes) => _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(capacityBytes, 1024));

    /// <summary>How many entries.</summary>
    public int Count => _entries.Count;

    /// <summary>Bytes of keys and envelopes so far.</summary>
    public int Bytes => _length;

    /// <summary>The entry's offset in its partition.</summary>
    public long Offset(int index) => _entries[index].Offset;

    /// <summary>When it was appended, microseconds since 1970 UTC.</summary>
    public long AppendedMicros(int index) => _entries[index].AppendedMicros;

    /// <summary>The canonical key; empty for a truncate. Valid until the page is disposed.</summary>
    public ReadOnlyMemory<byte> Key(int index) => _buffer.AsMemory(_entries[index].Start, _entries[index].KeyLength);

    /// <summary>The envelope. Valid until the page is disposed.</summary>
    public ReadOnlyMemory<byte> Value(int index)
    {
        var entry = _entries[index];
        return _buffer.AsMemory(entry.Start + entry.KeyLength, entry.ValueLength);
    }

    /// <summary>Adds an entry; called by the log that fills the page.</summary>
    public void Add(long offset, long appendedMicros, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var needed = _length + key.Length + value.Length;
        if (needed > _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, _buffer.Length * 2));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        key.CopyTo(_buffer.AsSpan(_length));
        value.CopyTo(_buffer.AsSpan(_length + key.Length));
        _entries.Add(new LogEntry(offset, appendedMicros, _length, key.Length, value.Length));
        _length = needed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private readonly record struct LogEntry(long Offset, long AppendedMicros, int Start, int KeyLength,
        int ValueLength);
}
