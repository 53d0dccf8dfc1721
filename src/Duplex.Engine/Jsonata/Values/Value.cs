using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Duplex.Engine.Jsonata.Values;

internal enum ValueKind : byte
{
    Undefined,
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
    Function,
}

/// <summary>Any value of the language, the undefined one included (which is the default).</summary>
internal readonly struct Value
{
    private readonly object? _reference;
    private readonly double _number;

    private Value(ValueKind kind, object? reference, double number)
    {
        Kind = kind;
        _reference = reference;
        _number = number;
    }

    public ValueKind Kind { get; }

    public static Value Undefined => default;

    public static Value Null => new(ValueKind.Null, null, 0);

    public bool IsUndefined => Kind == ValueKind.Undefined;

    public bool IsArray => Kind == ValueKind.Array;

    public bool IsFunction => Kind == ValueKind.Function;

    public bool IsTrue => _number != 0;

    public double Number => _number;

    /// <summary>The JSON text that a number was read from, where its double does not tell it; else null.</summary>
    public string? NumberText => Unsafe.As<string?>(_reference);

    public string Text => Unsafe.As<string>(_reference)!;

    public ArrayValue Array => Unsafe.As<ArrayValue>(_reference)!;

    public ObjectValue Object => Unsafe.As<ObjectValue>(_reference)!;

    public FunctionValue Function => Unsafe.As<FunctionValue>(_reference)!;

    public static Value Of(bool value) => new(ValueKind.Boolean, null, value ? 1 : 0);

    public static Value Of(double value) => new(ValueKind.Number, null, value);

    public static Value Of(double value, string text) => new(ValueKind.Number, text, value);

    public static Value Of(string value) => new(ValueKind.String, value, 0);

    public static Value Of(ArrayValue value) => new(ValueKind.Array, value, 0);

    public static Value Of(ObjectValue value) => new(ValueKind.Object, value, 0);

    public static Value Of(FunctionValue value) => new(ValueKind.Function, value, 0);

    /// <summary>The value of a JSON element; objects and arrays are read when they are looked into.</summary>
    public static Value Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => Of(new ObjectValue(element)),
        JsonValueKind.Array => Of(new ElementArray(element)),
        JsonValueKind.String => Of(ElementText.Decode(element)),
        JsonValueKind.Number => ElementText.Number(element),
        JsonValueKind.True => Of(true),
        JsonValueKind.False => Of(false),
        JsonValueKind.Null => Null,
        _ => Undefined,
    };

    /// <summary>The array's value, whether the array is the value or the wrapper of an input that is an
    /// array.</summary>
    public Value Unwrapped => IsArray && Array.IsWrapper ? Array[0] : this;

    public bool IsSame(in Value other)
    {
        if (Kind != other.Kind)
            return false;
        return Kind switch
        {
            ValueKind.Number => _number == other._number && HasSameDigits(other),
            ValueKind.Boolean => _number == other._number,
            ValueKind.String => Text == other.Text,
            ValueKind.Object => Object.IsSame(other.Object),
            ValueKind.Array => Array.IsSame(other.Array),
            ValueKind.Function => ReferenceEquals(_reference, other._reference),
            _ => true,
        };
    }

    /// <summary>Two whole numbers with more digits than a double has are the same only if their digits are.</summary>
    private bool HasSameDigits(in Value other) =>
        NumberText is not { } mine || other.NumberText is not { } theirs || mine == theirs
        || !NumberFormat.IsWhole(mine) || !NumberFormat.IsWhole(theirs);
}
