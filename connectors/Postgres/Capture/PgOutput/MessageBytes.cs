using System.Buffers.Binary;

namespace Duplex.Connectors.Postgres.Capture.PgOutput;

/// <summary>Reads the fields of one protocol message, front to back. A field beyond the end throws.</summary>
internal ref struct MessageBytes(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;

    /// <summary>The offset of the next field.</summary>
    public int At { get; private set; }

    public byte Byte() => _message[At++];

    public int Int16()
    {
        var value = BinaryPrimitives.ReadInt16BigEndian(_message[At..]);
        At += 2;
        return value;
    }

    public int Int32()
    {
        var value = BinaryPrimitives.ReadInt32BigEndian(_message[At..]);
        At += 4;
        return value;
    }

    public long Int64()
    {
        var value = BinaryPrimitives.ReadInt64BigEndian(_message[At..]);
        At += 8;
        return value;
    }

    /// <summary>Text that ends with a zero byte.</summary>
    public ReadOnlySpan<byte> Text()
    {
        var length = _message[At..].IndexOf((byte)0);
        return Bytes(length, skip: 1);
    }

    public ReadOnlySpan<byte> Bytes(int length, int skip = 0)
    {
        var bytes = _message.Slice(At, length);
        At += length + skip;
        return bytes;
    }
}
