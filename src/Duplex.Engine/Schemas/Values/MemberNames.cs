using System.Buffers;
using System.Text;

namespace Duplex.Engine.Schemas.Values;

/// <summary>
/// The members' names of the objects that are open while a document is read, to find one that is repeated. Few names
/// are compared one by one; many go into a table of hashes that nobody can aim at.
/// </summary>
internal ref struct MemberNames(ReadOnlySpan<byte> document) : IDisposable
{
    private const int FewMax = 16;

    private readonly ReadOnlySpan<byte> _document = document;
    private readonly int _seed = HashCode.Combine(nameof(MemberNames));
    private Name[] _names = ArrayPool<Name>.Shared.Rent(64);
    private int[] _starts = ArrayPool<int>.Shared.Rent(16);
    private HashSet<string>?[]? _tables;
    private int _count;
    private int _depth;

    /// <summary>An object begins.</summary>
    public void Open()
    {
        if (_depth == _starts.Length)
            Grow(ref _starts);
        _starts[_depth++] = _count;
    }

    /// <summary>An object ends.</summary>
    public void Close()
    {
        _count = _starts[--_depth];
        if (_tables is not null && _depth < _tables.Length)
            _tables[_depth] = null;
    }

    /// <summary>A member begins; false when its name is there already.</summary>
    public bool Add(int offset, int length, bool isEscaped)
    {
        var raw = _document.Slice(offset, length);
        var start = _starts[_depth - 1];
        if (_count - start >= FewMax)
            return AddToTable(raw, start);
        var hash = isEscaped ? Hash(Encoding.UTF8.GetBytes(StringText.Unescape(raw))) : Hash(raw);
        for (var i = start; i < _count; i++)
        {
            if (_names[i].Hash == hash && IsSame(_names[i], raw))
                return false;
        }

        if (_count == _names.Length)
            Grow(ref _names);
        _names[_count++] = new Name(offset, length, hash);
        return true;
    }

    public readonly void Dispose()
    {
        ArrayPool<Name>.Shared.Return(_names);
        ArrayPool<int>.Shared.Return(_starts);
    }

    private bool AddToTable(ReadOnlySpan<byte> raw, int start)
    {
        if (_tables is null || _tables.Length < _depth)
            Array.Resize(ref _tables, Math.Max(_depth, (_tables?.Length ?? 8) * 2));
        ref var table = ref _tables[_depth - 1];
        if (table is null)
        {
            table = new HashSet<string>(64, StringComparer.Ordinal);
            for (var i = start; i < _count; i++)
                table.Add(StringText.Unescape(Raw(_names[i])));
        }

        return table.Add(StringText.Unescape(raw));
    }

    private readonly bool IsSame(Name name, ReadOnlySpan<byte> raw)
    {
        var other = Raw(name);
        return other.SequenceEqual(raw) || StringText.Unescape(other) == StringText.Unescape(raw);
    }

    private readonly ReadOnlySpan<byte> Raw(Name name) => _document.Slice(name.Offset, name.Length);

    private readonly int Hash(ReadOnlySpan<byte> name)
    {
        var hash = (uint)_seed;
        foreach (var unit in name)
            hash = (hash ^ unit) * 16777619;
        return (int)hash;
    }

    private static void Grow<T>(ref T[] rented)
    {
        var larger = ArrayPool<T>.Shared.Rent(rented.Length * 2);
        rented.CopyTo(larger, 0);
        ArrayPool<T>.Shared.Return(rented);
        rented = larger;
    }

    private readonly record struct Name(int Offset, int Length, int Hash);
}
