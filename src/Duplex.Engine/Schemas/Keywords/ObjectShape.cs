using System.Runtime.InteropServices;
using System.Text.Json;
using Duplex.Engine.Schemas.Patterns;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary>What the keywords about members say of one schema, together.</summary>
internal sealed class ObjectShapeParts
{
    /// <summary><c>properties</c>, in the document's order.</summary>
    public List<KeyValuePair<string, SchemaNode>> Members { get; } = [];

    /// <summary><c>patternProperties</c>, in the document's order.</summary>
    public List<KeyValuePair<EcmaPattern, SchemaNode>> Patterns { get; } = [];

    /// <summary><c>required</c>.</summary>
    public string[] Required { get; set; } = [];

    /// <summary><c>additionalProperties</c>.</summary>
    public SchemaNode? Additional { get; set; }

    /// <summary><c>propertyNames</c>.</summary>
    public SchemaNode? Names { get; set; }

    public bool IsEmpty =>
        Members.Count + Patterns.Count + Required.Length == 0 && Additional is null && Names is null;
}

/// <summary>The answer of all keywords about members, in one pass over the members.</summary>
internal sealed class ObjectShape : Keyword
{
    private const int FewRequired = 64;

    private readonly NameTable _table;
    private readonly SchemaNode?[] _members;
    private readonly int[] _requiredAt;
    private readonly int _required;
    private readonly ObjectShapeParts _parts;
    private readonly KeyValuePair<EcmaPattern, SchemaNode>[] _patterns;

    public ObjectShape(ObjectShapeParts parts)
        : base(new KeywordSite("properties", ""), Kinds.Objects)
    {
        _parts = parts;
        _patterns = [.. parts.Patterns];
        var byName = parts.Members.ToDictionary(static m => m.Key, static m => m.Value, StringComparer.Ordinal);
        string[] required = [.. parts.Required.Distinct(StringComparer.Ordinal)];
        string[] names = [.. byName.Keys.Union(required, StringComparer.Ordinal)];
        _table = new NameTable(names);
        _members = [.. names.Select(n => byName.GetValueOrDefault(n))];
        _requiredAt = [.. names.Select(n => Array.IndexOf(required, n))];
        _required = required.Length;
    }

    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        ulong few = 0;
        Span<ulong> seen = _required <= FewRequired ? new Span<ulong>(ref few) : new ulong[(_required + 63) / 64];
        var (found, index, guess) = (0, 0, 0);
        var isValid = true;
        foreach (var member in instance.EnumerateObject())
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(member);
            var at = _table.Find(name, guess);
            if (at >= 0)
            {
                guess = at + 1;
                found += See(seen, _requiredAt[at]);
            }

            isValid &= IsValidMember(member, at, ref run, out var isLookedAt);
            if (evaluated is null)
            {
                if (!isValid)
                    return false;
            }
            else if (isLookedAt)
            {
                evaluated.Mark(index);
            }

            index++;
        }

        return isValid && found == _required;
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector) =>
        throw new InvalidOperationException("Errors come from the single keywords.");

    private static int See(Span<ulong> seen, int required)
    {
        if (required < 0)
            return 0;
        var bit = 1UL << (required & 63);
        ref var word = ref seen[required >> 6];
        if ((word & bit) != 0)
            return 0;
        word |= bit;
        return 1;
    }

    private bool IsValidMember(JsonProperty member, int at, ref Run run, out bool isLookedAt)
    {
        var value = member.Value;
        isLookedAt = false;
        var isValid = true;
        if (at >= 0 && _members[at] is { } node)
        {
            isLookedAt = true;
            isValid = node.IsValid(value, ref run, null);
        }

        if (_patterns.Length > 0)
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(member);
            foreach (var (pattern, matched) in _patterns)
            {
                if (!pattern.IsMatch(name, ref run))
                    continue;
                isLookedAt = true;
                isValid = isValid && matched.IsValid(value, ref run, null);
            }
        }

        if (!isLookedAt && _parts.Additional is { } additional)
        {
            isLookedAt = true;
            isValid = isValid && additional.IsValid(value, ref run, null);
        }

        return isValid && (_parts.Names is not { } names || names.IsValid(MemberName.Of(member), ref run, null));
    }
}
