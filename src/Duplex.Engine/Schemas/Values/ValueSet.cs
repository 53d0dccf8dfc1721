using System.Text.Json;

namespace Duplex.Engine.Schemas.Values;

/// <summary>The values of an <c>enum</c> or <c>const</c>.</summary>
internal sealed class ValueSet
{
    private const int LinearMax = 8;

    private readonly JsonElement[] _values;
    private readonly Dictionary<int, List<JsonElement>>? _byHash;
    private readonly NameTable? _texts;

    public ValueSet(IEnumerable<JsonElement> values)
    {
        _values = [.. values];
        if (Array.TrueForAll(_values, static v => v.ValueKind == JsonValueKind.String))
            _texts = new NameTable(_values.Select(StringText.Decode).Distinct(StringComparer.Ordinal));
        else if (_values.Length > LinearMax)
            _byHash = _values.GroupBy(JsonEquality.Hash).ToDictionary(g => g.Key, g => g.ToList());
    }

    public bool Contains(JsonElement value)
    {
        if (_texts is not null)
            return value.ValueKind == JsonValueKind.String && _texts.Find(StringText.Raw(value), 0) >= 0;
        if (_byHash is null)
        {
            foreach (var known in _values)
            {
                if (JsonEquality.AreEqual(known, value))
                    return true;
            }

            return false;
        }

        if (!_byHash.TryGetValue(JsonEquality.Hash(value), out var alike))
            return false;
        foreach (var known in alike)
        {
            if (JsonEquality.AreEqual(known, value))
                return true;
        }

        return false;
    }

    /// <summary>Whether no two items of the array are the same.</summary>
    public static bool AreUnique(JsonElement array)
    {
        var count = array.GetArrayLength();
        return count <= LinearMax ? AreUniqueFew(array) : AreUniqueMany(array, count);
    }

    private static bool AreUniqueFew(JsonElement array)
    {
        var at = 0;
        foreach (var item in array.EnumerateArray())
        {
            var before = 0;
            foreach (var other in array.EnumerateArray())
            {
                if (before++ == at)
                    break;
                if (JsonEquality.AreEqual(item, other))
                    return false;
            }

            at++;
        }

        return true;
    }

    private static bool AreUniqueMany(JsonElement array, int count)
    {
        var seen = new HashSet<JsonElement>(count, Comparer.Instance);
        foreach (var item in array.EnumerateArray())
        {
            if (!seen.Add(item))
                return false;
        }

        return true;
    }

    private sealed class Comparer : IEqualityComparer<JsonElement>
    {
        public static readonly Comparer Instance = new();

        public bool Equals(JsonElement x, JsonElement y) => JsonEquality.AreEqual(x, y);

        public int GetHashCode(JsonElement obj) => JsonEquality.Hash(obj);
    }
}
