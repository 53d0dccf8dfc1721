using Duplex.Engine.Jsonata.Functions;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>The variables of one scope; those that it has not are looked up in the scope around it, and at last in the
/// library.</summary>
internal sealed class Frame(Frame? parent)
{
    private const int ScannedMax = 8;

    private KeyValuePair<string, Value>[]? _entries;
    private int _count;
    private Dictionary<string, Value>? _index;

    public void Bind(string name, in Value value)
    {
        if (_index is not null)
        {
            _index[name] = value;
            return;
        }
        for (int i = 0; i < _count; i++)
        {
            if (_entries![i].Key == name)
            {
                _entries[i] = new(name, value);
                return;
            }
        }
        if (_count == ScannedMax)
        {
            _index = _entries!.ToDictionary(StringComparer.Ordinal);
            _index[name] = value;
            return;
        }
        _entries ??= new KeyValuePair<string, Value>[2];
        if (_count == _entries.Length)
            Array.Resize(ref _entries, _count * 2);
        _entries[_count++] = new(name, value);
    }

    public Value Lookup(string name)
    {
        for (Frame? frame = this; frame is not null; frame = frame.Parent)
        {
            if (frame.TryGet(name, out var value))
                return value;
        }
        return Library.Find(name) is { } function ? Value.Of(function) : Value.Undefined;
    }

    private Frame? Parent { get; } = parent;

    private bool TryGet(string name, out Value value)
    {
        if (_index is not null)
            return _index.TryGetValue(name, out value);
        for (int i = 0; i < _count; i++)
        {
            if (_entries![i].Key == name)
            {
                value = _entries[i].Value;
                return true;
            }
        }
        value = default;
        return false;
    }
}
