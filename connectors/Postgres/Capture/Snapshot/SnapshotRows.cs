using System.Buffers;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Rows;

namespace Duplex.Connectors.Postgres.Capture.Snapshot;

/// <summary>Rows read by one chunk: keys in canonical form and records, one after another in one buffer.</summary>
internal sealed class SnapshotRows(string stream, byte[] source)
{
    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private readonly List<(int Start, int Key, int Record)> _rows = [];

    /// <summary>The stream that they belong to.</summary>
    public string Stream { get; } = stream;

    /// <summary>The constant part of their envelopes.</summary>
    public byte[] Source { get; } = source;

    /// <summary>When they were read, microseconds since 1970 UTC by the server's clock.</summary>
    public long Micros { get; set; }

    public int Count => _rows.Count;

    public int Bytes => _buffer.WrittenCount;

    /// <summary>Adds a row of the table.</summary>
    public void Add(RowImage row, TableSchema table)
    {
        var start = _buffer.WrittenCount;
        row.WriteKey(table.KeyOrdinals, _buffer);
        var end = _buffer.WrittenCount;
        row.WriteRecord(table.Columns, _buffer);
        _rows.Add((start, end - start, _buffer.WrittenCount - end));
    }

    public ReadOnlySpan<byte> Key(int row) => _buffer.WrittenSpan.Slice(_rows[row].Start, _rows[row].Key);

    public ReadOnlySpan<byte> Record(int row) =>
        _buffer.WrittenSpan.Slice(_rows[row].Start + _rows[row].Key, _rows[row].Record);
}
