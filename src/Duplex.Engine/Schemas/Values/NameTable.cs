using System.Buffers.Binary;
using System.Text;

namespace Duplex.Engine.Schemas.Values;

/// <summary>Finds members' names among known ones, by their bytes as they stand in the document.</summary>
internal sealed class NameTable
{
    private const byte Escape = (byte)'\\';

    private readonly byte[][] _names;
    private readonly int[] _slots;
    private readonly int _mask;
    private readonly bool _hasEscapes;

    public NameTable(IEnumerable<string> names)
    {
        _names = [.. names.Select(Encoding.UTF8.GetBytes)];
        _hasEscapes = _names.Any(static n => n.Contains(Escape));
        var size = 4;
        while (size < _names.Length * 2)
            size *= 2;
        _mask = size - 1;
        _slots = new int[size];
        for (var i = 0; i < _names.Length; i++)
        {
            var slot = Hash(_names[i]) & _mask;
            while (_slots[slot] != 0)
                slot = (slot + 1) & _mask;
            _slots[slot] = i + 1;
        }
    }

    /// <summary>How many names there are.</summary>
    public int Count => _names.Length;

    /// <summary>The index of the name, or -1.</summary>
    /// <param name="raw">The name between its quotes, escapes and all.</param>
    /// <param name="guess">The index that it probably has.</param>
    public int Find(ReadOnlySpan<byte> raw, int guess)
    {
        if (_hasEscapes && raw.Contains(Escape))
            return FindPlain(Encoding.UTF8.GetBytes(StringText.Unescape(raw)));
        if (guess < _names.Length && raw.SequenceEqual(_names[guess]))
            return guess;
        var found = FindPlain(raw);
        return found < 0 && raw.Contains(Escape)
            ? FindPlain(Encoding.UTF8.GetBytes(StringText.Unescape(raw)))
            : found;
    }

    private int FindPlain(ReadOnlySpan<byte> name)
    {
        var slot = Hash(name) & _mask;
        while (_slots[slot] is var entry && entry != 0)
        {
            if (name.SequenceEqual(_names[entry - 1]))
                return entry - 1;
            slot = (slot + 1) & _mask;
        }

        return -1;
    }

    private static int Hash(ReadOnlySpan<byte> name)
    {
        ulong mixed = (uint)name.Length;
        if (name.Length >= 8)
        {
            mixed ^= BinaryPrimitives.ReadUInt64LittleEndian(name) * 0x9E3779B97F4A7C15;
            mixed += BinaryPrimitives.ReadUInt64LittleEndian(name[^8..]);
        }
        else
        {
            foreach (var unit in name)
                mixed = mixed << 8 ^ mixed >> 56 ^ unit;
        }

        mixed *= 0xD6E8FEB86659FD93;
        return (int)(mixed >> 33);
    }
}
