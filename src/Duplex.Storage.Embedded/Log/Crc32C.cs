using System.Numerics;
using System.Runtime.InteropServices;

namespace Duplex.Storage.Embedded.Log;

/// <summary>CRC-32C (Castagnoli), by the processor's instruction where it has one.</summary>
internal static class Crc32C
{
    /// <summary>The check value of the bytes, continued from a former one (0 at first).</summary>
    internal static uint Append(uint former, ReadOnlySpan<byte> bytes)
    {
        var crc = ~former;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives
                .ReverseEndianness(word));
        }

        foreach (var octet in bytes[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, octet);
        }

        return ~crc;
    }
}
