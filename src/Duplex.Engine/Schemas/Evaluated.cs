namespace Duplex.Engine.Schemas;

/// <summary>Which members or items of one instance schemas have looked at, by their place.</summary>
internal sealed class Evaluated
{
    private ulong _first;
    private ulong[]? _rest;
    private bool _all;

    public void Mark(int index)
    {
        if (index < 64)
        {
            _first |= 1UL << index;
            return;
        }

        var word = (index >> 6) - 1;
        if (_rest is null || _rest.Length <= word)
            Array.Resize(ref _rest, Math.Max(word + 1, (_rest?.Length ?? 2) * 2));
        _rest[word] |= 1UL << (index & 63);
    }

    public void MarkAll() => _all = true;

    public bool Has(int index)
    {
        if (_all)
            return true;
        if (index < 64)
            return (_first >> index & 1) != 0;
        var word = (index >> 6) - 1;
        return _rest is not null && word < _rest.Length && (_rest[word] >> (index & 63) & 1) != 0;
    }

    /// <summary>Adds what the other has.</summary>
    public void Add(Evaluated other)
    {
        _all |= other._all;
        _first |= other._first;
        if (other._rest is null)
            return;
        if (_rest is null || _rest.Length < other._rest.Length)
            Array.Resize(ref _rest, other._rest.Length);
        for (var i = 0; i < other._rest.Length; i++)
            _rest[i] |= other._rest[i];
    }
}
