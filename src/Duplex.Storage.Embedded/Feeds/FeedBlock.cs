using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Log;

namespace Duplex.Storage.Embedded.Feeds;

/// <summary>
/// Records of a feed that are stored in one row. A block is a version octet and records one after another: operation
/// (octet), table and source (their numbers, base-128 varints), source offset (varint), source time (8 octets, little
/// endian), the lengths of key, event id plus one (0: none), version plus one and data (varints), then these four.
/// </summary>
internal sealed class FeedBlock
{
    private const byte Version = 1;

    /// <summary>Small enough that a reader of few records decodes little, large enough that rows are few.</summary>
    private const int BytesMax = 64 * 1024;

    private const int RecordOverheadMax = 1 + (3 * 10) + 8 + (4 * 5);

    private readonly List<long> _tables = [];
    private byte[] _bytes = [];
    private int _length;

    /// <summary>Records in it.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of keys and data in it.</summary>
    public int PayloadBytes { get; private set; }

    /// <summary>When its first record came.</summary>
    public long Micros { get; private set; }

    /// <summary>The tables that its records are of.</summary>
    public IReadOnlyList<long> Tables => _tables;

    /// <summary>The row's bytes.</summary>
    public ReadOnlySpan<byte> Data => _bytes.AsSpan(0, _length);

    /// <summary>Whether it is to be written before the item is added.</summary>
    public bool IsFullFor(in FeedItem item) => Count > 0 && _length + Needed(item) > BytesMax;

    public void Add(in FeedItem item, long table, long source, long micros)
    {
        Reserve(Needed(item));
        if (Count == 0)
        {
            _bytes[0] = Version;
            _length = 1;
            Micros = micros;
        }

        if (!_tables.Contains(table))
        {
            _tables.Add(table);
        }

        _bytes[_length++] = (byte)item.Operation;
        Write(table);
        Write(source);
        Write(item.SourceOffset);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(_length), item.SourceMicros);
        _length += sizeof(long);
        Write(item.Key.Length);
        Write(item.EventId is null ? 0 : Encoding.UTF8.GetByteCount(item.EventId) + 1);
        Write(item.Version is null ? 0 : Encoding.UTF8.GetByteCount(item.Version) + 1);
        Write(item.Data.Length);
        Copy(item.Key.Span);
        _length += Encoding.UTF8.GetBytes(item.EventId, _bytes.AsSpan(_length));
        _length += Encoding.UTF8.GetBytes(item.Version, _bytes.AsSpan(_length));
        Copy(item.Data.Span);
        Count++;
        PayloadBytes += item.Key.Length + item.Data.Length;
    }

    /// <summary>Empties it for the next records.</summary>
    public void Clear()
    {
        _tables.Clear();
        _length = Count = PayloadBytes = 0;
    }

    /// <summary>Empties it and gives its memory back.</summary>
    public void Release()
    {
        Clear();
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
    }

    internal static FeedBlockReader Read(ReadOnlySpan<byte> data) => data.IsEmpty || data[0] != Version
        ? throw new SyncException(ErrorCode.StorageUnreadable,
            "A block of a feed has a format that this version does not know.",
            "Run the version of Duplex that wrote the data directory, or a later one.")
        : new FeedBlockReader(data[1..]);

    internal static SyncException Damaged(string feed, long offset, string why) =>
        new(new SyncError(ErrorCode.StorageUnreadable, $"Feed {feed} is damaged at offset {offset}.",
            Suggestion: "The other feeds go on. Restore feed.db from a backup, or read on after the damage and replay.",
            Detail: why));

    private static int Needed(in FeedItem item) => item.Key.Length + item.Data.Length + RecordOverheadMax
        + (3 * ((item.EventId?.Length ?? 0) + (item.Version?.Length ?? 0)));

    private void Write(long value)
    {
        var rest = (ulong)value;
        while (rest >= 0x80)
        {
            _bytes[_length++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        _bytes[_length++] = (byte)rest;
    }

    private void Copy(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Reserve(int needed)
    {
        if (_bytes.Length - _length > needed)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, _length + needed + 1));
        _bytes.AsSpan(0, _length).CopyTo(larger);
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = larger;
    }
}

/// <summary>Walks the records of a block whose check value is right.</summary>
internal ref struct FeedBlockReader
{
    private ReadOnlySpan<byte> _rest;

    internal FeedBlockReader(ReadOnlySpan<byte> records) => _rest = records;

    internal ChangeOperation Operation { get; private set; }

    internal long Table { get; private set; }

    internal long Source { get; private set; }

    internal long SourceOffset { get; private set; }

    internal long SourceMicros { get; private set; }

    internal ReadOnlySpan<byte> Key { get; private set; }

    internal string? EventId => Text(_eventId, _hasEventId);

    internal string? Version => Text(_version, _hasVersion);

    internal ReadOnlySpan<byte> Data { get; private set; }

    private ReadOnlySpan<byte> _eventId;
    private ReadOnlySpan<byte> _version;
    private bool _hasEventId;
    private bool _hasVersion;

    internal bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        Operation = (ChangeOperation)Take(1)[0];
        Table = ReadNumber();
        Source = ReadNumber();
        SourceOffset = ReadNumber();
        SourceMicros = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
        var key = ReadNumber();
        var eventId = ReadNumber();
        var version = ReadNumber();
        var data = ReadNumber();
        Key = Take(key);
        _hasEventId = eventId > 0;
        _eventId = Take(_hasEventId ? eventId - 1 : 0);
        _hasVersion = version > 0;
        _version = Take(_hasVersion ? version - 1 : 0);
        Data = Take(data);
        return true;
    }

    private static string? Text(ReadOnlySpan<byte> bytes, bool present) =>
        present ? Encoding.UTF8.GetString(bytes) : null;

    private ReadOnlySpan<byte> Take(long length)
    {
        if ((ulong)length > (ulong)_rest.Length)
        {
            throw new SyncException(ErrorCode.StorageUnreadable, "A record of a feed is longer than its block.",
                "Restore feed.db from a backup.");
        }

        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    private long ReadNumber()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var octet = Take(1)[0];
            value |= (ulong)(octet & 0x7F) << shift;
            if (octet < 0x80)
            {
                break;
            }
        }

        return (long)value;
    }
}
