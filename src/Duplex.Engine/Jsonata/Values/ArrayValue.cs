using System.Text.Json;

namespace Duplex.Engine.Jsonata.Values;

/// <summary>
/// An array. A sequence is an array that the language makes by itself: it counts as its only element if it has one,
/// and as undefined if it has none, unless it is marked to be kept.
/// </summary>
internal abstract class ArrayValue
{
    public bool IsSequence { get; init; }

    /// <summary>A sequence of one element stays an array.</summary>
    public bool KeepsSingleton { get; set; }

    /// <summary>Made by an array constructor in a path; stays one element of what it is put into.</summary>
    public bool IsConstructed { get; set; }

    /// <summary>Holds an input that is an array, so that it is looked at as one item.</summary>
    public bool IsWrapper { get; init; }

    public abstract int Count { get; }

    public abstract Value this[int index] { get; }

    public virtual bool IsSame(ArrayValue other) => ReferenceEquals(this, other);
}

/// <summary>An array that is made by an evaluation.</summary>
internal sealed class ListArray(int capacity = 4) : ArrayValue
{
    public List<Value> Items { get; } = new(capacity);

    /// <summary>Whoever makes it has not finished; nobody else has it.</summary>
    public bool IsGrowing { get; set; }

    public override int Count => Items.Count;

    public override Value this[int index] => Items[index];

    public static ListArray Sequence() => new() { IsSequence = true };

    public static ListArray Sequence(in Value only)
    {
        var result = new ListArray(1) { IsSequence = true };
        result.Items.Add(only);
        return result;
    }

    /// <summary>An array, not a sequence, of one element.</summary>
    public static ListArray Single(in Value only)
    {
        var result = new ListArray(1);
        result.Items.Add(only);
        return result;
    }

    public void Add(in Value value) => Items.Add(value);

    public void AddAll(ArrayValue values)
    {
        Items.EnsureCapacity(Items.Count + values.Count);
        if (values is ListArray list)
        {
            Items.AddRange(list.Items);
            return;
        }
        for (int i = 0; i < values.Count; i++)
            Items.Add(values[i]);
    }
}

/// <summary>An array of the input.</summary>
internal sealed class ElementArray(JsonElement element) : ArrayValue
{
    private Value[]? _items;

    public JsonElement Element => element;

    public override int Count => _items?.Length ?? element.GetArrayLength();

    public override Value this[int index] => (_items ??= Read())[index];

    public override bool IsSame(ArrayValue other) => ReferenceEquals(this, other)
        || other is ElementArray array && element.Equals(array.Element);

    private Value[] Read()
    {
        var items = new Value[element.GetArrayLength()];
        int i = 0;
        foreach (var item in element.EnumerateArray())
            items[i++] = Value.Of(item);
        return items;
    }
}

/// <summary>Whole numbers that follow one another.</summary>
internal sealed class RangeArray(double first, int count) : ArrayValue
{
    public override int Count => count;

    public override Value this[int index] => Value.Of(first + index);

    /// <summary>The same numbers as an array that is no sequence.</summary>
    public RangeArray AsArray() => new(first, count);
}
