using System.Buffers.Binary;

namespace Duplex.Kafka.Topics;

/// <summary>
/// The hash by which Kafka's own clients, Debezium and Connect choose a key's partition, so that what they write and
/// what Duplex writes meet in the same one.
/// </summary>
internal static class Murmur2
{
    private const uint Multiplier = 0x5bd1e995;

    /// <summary>The partition of a key; 0 for no key.</summary>
    public static int Partition(ReadOnlySpan<byte> key, int partitions) =>
        key.IsEmpty ? 0 : (int)(Hash(key) & 0x7fffffff) % partitions;

    public static uint Hash(ReadOnlySpan<byte> key)
    {
        unchecked
        {
            var hash = 0x9747b28cu ^ (uint)key.Length;
            while (key.Length >= 4)
            {
                var word = BinaryPrimitives.ReadUInt32LittleEndian(key) * Multiplier;
                word ^= word >> 24;
                hash = (hash * Multiplier) ^ (word * Multiplier);
                key = key[4..];
            }

            for (var index = key.Length - 1; index >= 0; index--)
            {
                hash ^= (uint)key[index] << (8 * index);
            }

            if (key.Length > 0)
            {
                hash *= Multiplier;
            }

            hash ^= hash >> 13;
            hash *= Multiplier;
            return hash ^ (hash >> 15);
        }
    }
}
