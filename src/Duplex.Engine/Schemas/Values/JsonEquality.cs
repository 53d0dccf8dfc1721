using System.Runtime.InteropServices;
using System.Text.Json;

namespace Duplex.Engine.Schemas.Values;

/// <summary>
/// Whether two JSON values are the same: numbers by value, strings by text, arrays in order, objects by member whatever
/// the order.
/// </summary>
internal static class JsonEquality
{
    private const int LinearMax = 12;

    public static bool AreEqual(JsonElement left, JsonElement right)
    {
        var kind = left.ValueKind;
        if (kind != right.ValueKind)
            return false;
        return kind switch
        {
            JsonValueKind.String => StringText.AreEqual(left, right),
            JsonValueKind.Number => AreSameNumber(left, right),
            JsonValueKind.Array => AreSameItems(left, right),
            JsonValueKind.Object => AreSameMembers(left, right),
            _ => true,
        };
    }

    /// <summary>The same for values that are the same; differs from run to run, so that nobody can aim at
    /// collisions.</summary>
    public static int Hash(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return StringText.Hash(StringText.Raw(value));
            case JsonValueKind.Number:
                return new NumberText(JsonMarshal.GetRawUtf8Value(value)).Hash();
            case JsonValueKind.Array:
                var items = new HashCode();
                items.Add(JsonValueKind.Array);
                foreach (var item in value.EnumerateArray())
                    items.Add(Hash(item));
                return items.ToHashCode();
            case JsonValueKind.Object:
                var members = 0;
                foreach (var member in value.EnumerateObject())
                    members += HashCode.Combine(StringText.Hash(Name(member)), Hash(member.Value));
                return HashCode.Combine(JsonValueKind.Object, members);
            default:
                return HashCode.Combine(value.ValueKind);
        }
    }

    private static ReadOnlySpan<byte> Name(JsonProperty member) => JsonMarshal.GetRawUtf8PropertyName(member);

    private static bool AreSameNumber(JsonElement left, JsonElement right)
    {
        var leftText = JsonMarshal.GetRawUtf8Value(left);
        var rightText = JsonMarshal.GetRawUtf8Value(right);
        return leftText.SequenceEqual(rightText)
            || NumberText.Compare(new NumberText(leftText), new NumberText(rightText)) == 0;
    }

    private static bool AreSameItems(JsonElement left, JsonElement right)
    {
        if (left.GetArrayLength() != right.GetArrayLength())
            return false;
        var rights = right.EnumerateArray();
        foreach (var item in left.EnumerateArray())
        {
            rights.MoveNext();
            if (!AreEqual(item, rights.Current))
                return false;
        }

        return true;
    }

    private static bool AreSameMembers(JsonElement left, JsonElement right)
    {
        var count = left.GetPropertyCount();
        if (count != right.GetPropertyCount())
            return false;
        if (count > LinearMax)
            return AreSameManyMembers(left, right, count);
        foreach (var member in left.EnumerateObject())
        {
            if (!TryGet(right, Name(member), out var other) || !AreEqual(member.Value, other))
                return false;
        }

        return true;
    }

    private static bool TryGet(JsonElement value, ReadOnlySpan<byte> name, out JsonElement found) =>
        name.Contains((byte)'\\')
            ? value.TryGetProperty(StringText.Unescape(name), out found)
            : value.TryGetProperty(name, out found);

    private static bool AreSameManyMembers(JsonElement left, JsonElement right, int count)
    {
        var byName = new Dictionary<string, JsonElement>(count, StringComparer.Ordinal);
        foreach (var member in right.EnumerateObject())
            byName[StringText.Unescape(Name(member))] = member.Value;
        foreach (var member in left.EnumerateObject())
        {
            if (!byName.TryGetValue(StringText.Unescape(Name(member)), out var other) || !AreEqual(member.Value, other))
                return false;
        }

        return true;
    }
}
