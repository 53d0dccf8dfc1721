using System.Text.Json;

namespace Duplex.Engine.Mapping.Predicates;

/// <summary>A value while a condition is evaluated: JSON from the record, a text that a function made, a list, or
/// absent.</summary>
internal readonly struct PredicateValue
{
    private readonly JsonElement _element;
    private readonly string? _text;
    private readonly PredicateValue[]? _items;

    private PredicateValue(JsonValueKind kind, JsonElement element, string? text, PredicateValue[]? items) =>
        (Kind, _element, _text, _items) = (kind, element, text, items);

    /// <summary>Its type; undefined when absent.</summary>
    public JsonValueKind Kind { get; }

    public static PredicateValue Absent => default;

    public static PredicateValue Of(JsonElement element) => new(element.ValueKind, element, null, null);

    public static PredicateValue Of(string text) => new(JsonValueKind.String, default, text, null);

    public static PredicateValue Of(bool flag) =>
        new(flag ? JsonValueKind.True : JsonValueKind.False, default, null, null);

    public static PredicateValue Of(PredicateValue[] items) => new(JsonValueKind.Array, default, null, items);

    public static PredicateValue Of(long number) => Of(JsonText.Number(number));

    /// <summary>The text of a string; its JSON where it holds half of a surrogate pair and so is no text.</summary>
    public string Text => _text ?? (JsonText.TryText(_element, out var text) ? text : _element.GetRawText());

    /// <summary>JSONata's <c>$boolean</c>: absent, null, false, zero and everything empty do not hold.</summary>
    public bool Holds => Kind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.String => _text is null ? !_element.ValueEquals(""u8) : _text.Length > 0,
        JsonValueKind.Number => !(ExactDecimal.TryParse(Raw, out var number) && number.IsZero),
        JsonValueKind.Array =>
            _items is null ? _element.EnumerateArray().Any(static e => Of(e).Holds) : _items.Any(static i => i.Holds),
        JsonValueKind.Object => _element.EnumerateObject().Any(),
        _ => false,
    };

    /// <summary>The items of a list; the value itself as the only item otherwise.</summary>
    public IEnumerable<PredicateValue> Items =>
        Kind != JsonValueKind.Array ? [this] : _items ?? _element.EnumerateArray().Select(static e => Of(e));

    /// <summary>The JSON text of a number.</summary>
    public string RawText => _element.GetRawText();

    private ReadOnlySpan<byte> Raw => System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(_element);

    /// <summary>Whether two values are equal; values of different types are not.</summary>
    public static bool Same(PredicateValue left, PredicateValue right)
    {
        if (left.Kind != right.Kind)
        {
            return false;
        }

        return left.Kind switch
        {
            JsonValueKind.Undefined => false,
            JsonValueKind.String when left._text is null && right._text is not null =>
                IsText(left._element, right._text),
            JsonValueKind.String when left._text is not null && right._text is null =>
                IsText(right._element, left._text),
            JsonValueKind.String => string.Equals(left.Text, right.Text, StringComparison.Ordinal),
            JsonValueKind.Number => Compare(left, right) == 0,
            JsonValueKind.Array => left.Items.SequenceEqual(right.Items, ItemComparer.Instance),
            JsonValueKind.Object => ValueEquality.SameTree(left._element, right._element),
            _ => true,
        };
    }

    private static bool IsText(JsonElement element, string text) => JsonText.TryPlain(element, out _)
        ? element.ValueEquals(text) : JsonText.TryText(element, out var own)
            && string.Equals(own, text, StringComparison.Ordinal);

    /// <summary>The order of two numbers or two texts (by code point); null for everything else.</summary>
    public static int? Compare(PredicateValue left, PredicateValue right)
    {
        if (left.Kind == JsonValueKind.Number && right.Kind == JsonValueKind.Number)
        {
            return ExactDecimal.TryParse(left.Raw, out var l) && ExactDecimal.TryParse(right.Raw, out var r)
                ? ExactDecimal.Compare(l, r) : null;
        }

        return left.Kind == JsonValueKind.String && right.Kind == JsonValueKind.String
            ? string.CompareOrdinal(left.Text, right.Text) : null;
    }

    private sealed class ItemComparer : IEqualityComparer<PredicateValue>
    {
        public static readonly ItemComparer Instance = new();

        public bool Equals(PredicateValue x, PredicateValue y) => Same(x, y);

        public int GetHashCode(PredicateValue obj) => (int)obj.Kind;
    }
}
