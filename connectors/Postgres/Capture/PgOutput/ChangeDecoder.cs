using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Duplex.Connectors.Postgres.Capture.Snapshot;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Capture.PgOutput;

/// <summary>
/// Turns pgoutput messages into changes, in place: what a message says goes from its bytes into the batch's. Knows
/// where in which transaction it is, and leaves out what the log holds already. Used by one thread.
/// </summary>
internal sealed class ChangeDecoder(long epoch, Position from, SnapshotWindow window)
{
    /// <summary>Microseconds from 1970 to 2000, where PostgreSQL's clock starts.</summary>
    private const long PostgresEpochMicros = 946_684_800_000_000;

    private readonly Dictionary<uint, RelationLayout> _layouts = [];
    private readonly TupleSlots _old = new();
    private readonly TupleSlots _new = new();
    private readonly TupleSlots _none = new();
    private byte[] _place = [];
    private byte[]? _origin;
    private ulong _commit;
    private ulong _index;
    private long _micros;
    private uint _xid;

    /// <summary>Whether a transaction has begun and not ended.</summary>
    public bool InTransaction { get; private set; }

    /// <summary>The major and minor parts of the position behind everything that was decoded.</summary>
    public (ulong Major, ulong Minor) Reached { get; private set; } = (from.Major, from.Minor);

    /// <summary>The layout in force for a table; null before the log described it.</summary>
    public RelationLayout? Layout(uint oid) => _layouts.GetValueOrDefault(oid);

    /// <summary>Puts a table's layout into force: the log describes it anew before the first change that has
    /// it.</summary>
    public void SetLayout(RelationLayout layout) => _layouts[layout.Message.Oid] = layout;

    /// <summary>A transaction begins.</summary>
    public void Begin(ReadOnlySpan<byte> message)
    {
        var bytes = new MessageBytes(message);
        bytes.Byte();
        _commit = (ulong)bytes.Int64();
        _micros = bytes.Int64() + PostgresEpochMicros;
        _xid = (uint)bytes.Int32();
        _index = 0;
        _origin = null;
        _place = Place(_commit);
        InTransaction = true;
    }

    /// <summary>The transaction ends. Returns the position of its end.</summary>
    public ulong Commit(ReadOnlySpan<byte> message)
    {
        var bytes = new MessageBytes(message);
        bytes.Byte();
        bytes.Byte();
        bytes.Int64();
        var end = (ulong)bytes.Int64();
        InTransaction = false;
        if (_index > 0)
        {
            window.Streamed(_xid);
        }

        if (end > Reached.Major)
        {
            Reached = (end, 0);
        }

        return end;
    }

    /// <summary>Everything before the position was told; nothing is in flight.</summary>
    public void ReachedIdle(ulong position)
    {
        if (!InTransaction && position > Reached.Major)
        {
            Reached = (position, 0);
        }
    }

    /// <summary>A mark of a writer: it holds for the rest of the transaction.</summary>
    public void Origin(ReadOnlySpan<byte> mark)
    {
        var bytes = new ArrayBufferWriter<byte>();
        JsonText.WriteString(mark, bytes);
        _origin = bytes.WrittenSpan.ToArray();
    }

    /// <summary>Decodes an insert, update or delete.</summary>
    public void Change(ReadOnlySpan<byte> message, ChangeBatch batch)
    {
        var bytes = new MessageBytes(message);
        var letter = bytes.Byte();
        if (!Next((uint)bytes.Int32(), out var layout))
        {
            return;
        }

        _old.Clear();
        _new.Clear();
        var kind = bytes.Byte();
        var isKey = kind == (byte)'K';
        if (kind is (byte)'K' or (byte)'O')
        {
            _old.Read(ref bytes);
            kind = letter == (byte)'U' ? bytes.Byte() : (byte)0;
        }

        if (kind == (byte)'N')
        {
            _new.Read(ref bytes);
        }

        batch.Begin(layout.Stream!);
        EnvelopeBytes.WriteKey(batch, layout, message, letter == (byte)'D' ? _old : _new, letter == (byte)'D'
            ? _none : _old);
        batch.EndKey();
        var partial = WriteEnvelope(layout, message, letter, isKey, batch, out var previousKey);
        batch.End();
        window.Changed(layout, batch.Key(batch.Count - 1), previousKey, partial);
    }

    /// <summary>Decodes a truncate of one or more tables.</summary>
    public void Truncate(ReadOnlySpan<byte> message, ChangeBatch batch)
    {
        var bytes = new MessageBytes(message);
        bytes.Byte();
        var count = bytes.Int32();
        bytes.Byte();
        for (var i = 0; i < count; i++)
        {
            if (!Next((uint)bytes.Int32(), out var layout))
            {
                continue;
            }

            batch.Begin(layout.Stream!);
            batch.EndKey();
            JsonText.WriteRaw("{\"op\":\"t\""u8, batch);
            WriteOrigin(batch);
            EnvelopeBytes.WriteTail(batch, layout.Source, _place, _index, _micros);
            batch.End();
            window.Truncated(layout);
        }
    }

    /// <summary>Writes a row of the snapshot.</summary>
    public void Read(SnapshotRows rows, int row, ulong at, ChangeBatch batch)
    {
        batch.Begin(rows.Stream);
        JsonText.WriteRaw(rows.Key(row), batch);
        batch.EndKey();
        JsonText.WriteRaw("{\"op\":\"r\",\"after\":"u8, batch);
        JsonText.WriteRaw(rows.Record(row), batch);
        EnvelopeBytes.WriteTail(batch, rows.Source, Place(at), 0, rows.Micros);
        batch.End();
    }

    /// <summary>
    /// Counts a change of the transaction and finds its table. False when no sync reads the table, or when the log
    /// holds the change: it was told before, and the server tells whole transactions only.
    /// </summary>
    private bool Next(uint oid, [NotNullWhen(true)] out RelationLayout? layout)
    {
        _index++;
        if (!_layouts.TryGetValue(oid, out layout))
        {
            throw new FormatException($"The log changes relation {oid} before it describes it.");
        }

        if (_commit < from.Major || (_commit == from.Major && _index <= from.Minor))
        {
            return false;
        }

        Reached = (_commit, _index);
        return layout.Stream is not null;
    }

    private bool WriteEnvelope(
        RelationLayout layout, ReadOnlySpan<byte> message, byte letter, bool isKey, ChangeBatch batch,
            out string? previousKey)
    {
        var partial = false;
        previousKey = null;
        JsonText.WriteRaw(letter switch
        {
            (byte)'I' => "{\"op\":\"c\""u8,
            (byte)'U' => "{\"op\":\"u\""u8,
            _ => "{\"op\":\"d\""u8,
        }, batch);
        if (_old.Count > 0)
        {
            JsonText.WriteRaw(",\"before\":"u8, batch);
            if (isKey)
            {
                EnvelopeBytes.WriteIdentity(batch, layout, message, _old);
            }
            else
            {
                EnvelopeBytes.WriteImage(batch, layout, message, _old, null);
            }
        }

        if (_new.Count > 0)
        {
            JsonText.WriteRaw(",\"after\":"u8, batch);
            partial = EnvelopeBytes.WriteImage(batch, layout, message, _new, isKey ? null : _old);
            if (partial)
            {
                EnvelopeBytes.WriteUnchanged(batch, layout, _new, isKey ? _none : _old);
            }

            previousKey = WritePreviousKey(layout, message, batch);
        }

        WriteOrigin(batch);
        EnvelopeBytes.WriteTail(batch, layout.Source, _place, _index, _micros);
        return partial;
    }

    private string? WritePreviousKey(RelationLayout layout, ReadOnlySpan<byte> message, ChangeBatch batch)
    {
        if (_old.Count == 0 || !KeyDiffers(layout, message))
        {
            return null;
        }

        var key = new ArrayBufferWriter<byte>(64);
        EnvelopeBytes.WriteKey(key, layout, message, _old, _none);
        JsonText.WriteRaw(",\"prev_key\":"u8, batch);
        JsonText.WriteRaw(key.WrittenSpan, batch);
        return Encoding.UTF8.GetString(key.WrittenSpan);
    }

    private bool KeyDiffers(RelationLayout layout, ReadOnlySpan<byte> message)
    {
        foreach (var column in layout.Key)
        {
            if (_new.Kind(column) == SlotKind.Text
                && !_new.Value(message, column).SequenceEqual(_old.Value(message, column)))
            {
                return true;
            }
        }

        return false;
    }

    private void WriteOrigin(ChangeBatch batch)
    {
        if (_origin is not null)
        {
            JsonText.WriteRaw(",\"origin\":"u8, batch);
            JsonText.WriteRaw(_origin, batch);
        }
    }

    private byte[] Place(ulong major) => Encoding.ASCII.GetBytes($"{epoch}:{Lsn.Format(major)}:");
}
