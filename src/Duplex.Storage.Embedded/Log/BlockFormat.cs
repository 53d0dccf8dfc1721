using System.Buffers.Binary;
using System.Text;
using Duplex.Sdk;

namespace Duplex.Storage.Embedded.Log;

/// <summary>
/// A block is a version octet and entries one after another: the lengths of key, envelope and delivery id plus one (0:
/// none) as base-128 varints, then key, envelope and id. Its check value covers the block's number, count, time and
/// bytes.
/// </summary>
internal static class BlockFormat
{
    internal const byte Version = 1;

    /// <summary>The most octets that an entry takes beside its key, envelope and id.</summary>
    internal const int EntryOverheadMax = 15;

    internal static uint Check(long number, int count, long micros, ReadOnlySpan<byte> data)
    {
        Span<byte> header = stackalloc byte[20];
        BinaryPrimitives.WriteInt64LittleEndian(header, number);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], count);
        BinaryPrimitives.WriteInt64LittleEndian(header[12..], micros);
        return Crc32C.Append(Crc32C.Append(0, header), data);
    }

    internal static int WriteLength(Span<byte> output, int value)
    {
        var index = 0;
        var rest = (uint)value;
        while (rest >= 0x80)
        {
            output[index++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        output[index++] = (byte)rest;
        return index;
    }

    /// <summary>The delivery ids of a block's entries.</summary>
    internal static List<string> DeliveryIds(ReadOnlySpan<byte> data)
    {
        var ids = new List<string>();
        var reader = new BlockReader(data);
        while (reader.Next())
        {
            if (reader.HasId)
            {
                ids.Add(Encoding.UTF8.GetString(reader.Id));
            }
        }

        return ids;
    }

    internal static SyncException Damaged(string what, string detail) =>
        new(new SyncError(ErrorCode.StorageUnreadable, $"The change log is damaged: {what}.",
            Suggestion: "The other partitions go on. Take a fresh snapshot of the connection, or restore log.db from a backup.",
            Detail: detail));
}

/// <summary>Walks the entries of a block whose check value is right.</summary>
internal ref struct BlockReader
{
    private ReadOnlySpan<byte> _rest;

    internal BlockReader(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data[0] != BlockFormat.Version)
        {
            throw new SyncException(ErrorCode.StorageUnreadable,
                "A block of the change log has a format that this version does not know.",
                "Run the version of Duplex that wrote the data directory, or a later one.");
        }

        _rest = data[1..];
    }

    internal ReadOnlySpan<byte> Key { get; private set; }

    internal ReadOnlySpan<byte> Value { get; private set; }

    internal ReadOnlySpan<byte> Id { get; private set; }

    internal bool HasId { get; private set; }

    internal bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var key = ReadLength();
        var value = ReadLength();
        var id = ReadLength();
        Key = Take(key);
        Value = Take(value);
        HasId = id > 0;
        Id = HasId ? Take(id - 1) : default;
        return true;
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if ((uint)length > (uint)_rest.Length)
        {
            throw BlockFormat.Damaged("an entry is longer than its block", $"{length} of {_rest.Length} bytes");
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private int ReadLength()
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var octet = Take(1)[0];
            value |= (uint)(octet & 0x7F) << shift;
            if (octet < 0x80)
            {
                return (int)value;
            }
        }

        throw BlockFormat.Damaged("an entry has no length", "varint longer than five bytes");
    }
}
