using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>Whether two values of a kind mean the same.</summary>
internal static class ValueEquality
{
    /// <summary>
    /// Numbers by value, points in time by instant, objects without regard to member order, texts by character. A
    /// numeric field's text form (<c>"1.50"</c>) is its number.
    /// </summary>
    public static bool Same(FieldKind kind, JsonElement left, JsonElement right)
    {
        if (JsonText.Raw(left).SequenceEqual(JsonText.Raw(right)))
        {
            return true;
        }

        switch (left.ValueKind)
        {
            case JsonValueKind.String or JsonValueKind.Number when IsNumeric(kind)
                && right.ValueKind is JsonValueKind.String or JsonValueKind.Number:
                return TryNumber(left, out var l) && TryNumber(right, out var r) ? l == r : SameText(left, right);
            case JsonValueKind.Number when right.ValueKind == JsonValueKind.Number:
                return TryNumber(left, out var a) && TryNumber(right, out var b) && a == b;
            case JsonValueKind.String when right.ValueKind == JsonValueKind.String:
                return SameText(left, right) || (IsTime(kind) && SameTime(left, right));
            case JsonValueKind.Object or JsonValueKind.Array when left.ValueKind == right.ValueKind:
                return SameTree(left, right);
            default:
                return false;
        }
    }

    /// <summary>A number, or the text form of one.</summary>
    public static bool TryNumber(JsonElement value, out ExactDecimal number)
    {
        var raw = JsonText.Raw(value);
        return ExactDecimal.TryParse(value.ValueKind == JsonValueKind.String ? raw[1..^1] : raw, out number);
    }

    private static bool IsNumeric(FieldKind kind) =>
        kind is FieldKind.Integer or FieldKind.Number or FieldKind.UnixSeconds;

    private static bool IsTime(FieldKind kind) =>
        kind is FieldKind.Timestamp or FieldKind.LocalTimestamp or FieldKind.Date;

    /// <summary>Whether two strings that differ in bytes are one text: only escapes make that so.</summary>
    private static bool SameText(JsonElement left, JsonElement right) =>
        !(JsonText.TryPlain(left, out _) && JsonText.TryPlain(right, out _))
        && JsonText.TryText(left, out var l) && JsonText.TryText(right, out var r)
            && string.Equals(l, r, StringComparison.Ordinal);

    private static bool SameTime(JsonElement left, JsonElement right) =>
        JsonText.TryText(left, out var l) && JsonText.TryText(right, out var r)
        && TimeText.TryParse(l, out var a) && TimeText.TryParse(r, out var b)
        && a.Offset.HasValue == b.Offset.HasValue && a.UtcTicks == b.UtcTicks;

    /// <summary>Whether two objects or lists are the same: members in any order, numbers by value.</summary>
    public static bool SameTree(JsonElement left, JsonElement right)
    {
        try
        {
            return JsonElement.DeepEquals(left, right);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
