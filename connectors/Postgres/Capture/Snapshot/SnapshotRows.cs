using System.Buffers;

namespace Duplex.Connectors.Postgres.Capture.Snapshot;

/// <summary>Rows read by one chunk: keys in canonical form and records, one after another in one buffer.</summary>
internal sealed class SnapshotRows(string stream, byte[] source)
{
    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private readonly List<(int Start, int Key, int Record)> _rows = [];
    private int _start;
    private int _keyLength;

    /// <summary>The stream that they belong to.</summary>
    public string Stream { get; } = stream;

    /// <summary>The constant part of their envelopes.</summary>
    public byte[] Source { get; } = source;

    /// <summary>When they were read, microseconds since 1970 UTC by the server's clock.</summary>
    public long Micros { get; set; }

    public int Count => _rows.Count;

    public int Bytes => _buffer.WrittenCount;

    /// <summary>Where key and record are written: first the key, <see cref="EndKey"/>, the record,
    /// <see cref="EndRow"/>.</summary>
    public IBufferWriter<byte> Output => _buffer;

    public void EndKey() => _keyLength = _buffer.WrittenCount - _start;

    public void EndRow()
    {
        _rows.Add((_start, _keyLength, _buffer.WrittenCount - _start - _keyLength));
        _start = _buffer.WrittenCount;
    }

    public ReadOnlySpan<byte> Key(int row) => _buffer.WrittenSpan.Slice(_rows[row].Start, _rows[row].Key);

    public ReadOnlySpan<byte> Record(int row) =>
        _buffer.WrittenSpan.Slice(_rows[row].Start + _rows[row].Key, _rows[row].Record);
}
