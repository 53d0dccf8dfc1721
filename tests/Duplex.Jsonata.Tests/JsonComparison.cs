using System.Text.Json;

namespace Duplex.Jsonata.Tests;

/// <summary>Equality of JSON values: members in any order, numbers as doubles.</summary>
internal static class JsonComparison
{
    /// <param name="left">One value.</param>
    /// <param name="right">The other value.</param>
    /// <param name="isUnordered">The outermost array's elements may be in any order.</param>
    public static bool AreEqual(JsonElement left, JsonElement right, bool isUnordered = false)
    {
        if (left.ValueKind != right.ValueKind)
            return false;
        switch (left.ValueKind)
        {
            case JsonValueKind.Number:
                return left.GetDouble() == right.GetDouble();
            case JsonValueKind.String:
                return Text(left) == Text(right);
            case JsonValueKind.Array when isUnordered:
                return AreSame([.. left.EnumerateArray()], [.. right.EnumerateArray()]);
            case JsonValueKind.Array:
                return left.GetArrayLength() == right.GetArrayLength()
                    && left.EnumerateArray().Zip(right.EnumerateArray()).All(p => AreEqual(p.First, p.Second));
            case JsonValueKind.Object:
                return left.EnumerateObject().Count() == right.EnumerateObject().Count()
                    && left.EnumerateObject().All(p =>
                        right.TryGetProperty(p.Name, out var other) && AreEqual(p.Value, other));
            default:
                return true;
        }
    }

    private static bool AreSame(JsonElement[] left, List<JsonElement> right)
    {
        foreach (var element in left)
        {
            int at = right.FindIndex(r => AreEqual(element, r));
            if (at < 0)
                return false;
            right.RemoveAt(at);
        }
        return right.Count == 0;
    }

    /// <summary>Strings with half a surrogate pair have no text but their escaped one.</summary>
    private static string Text(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return element.GetRawText();
        }
    }
}
