using System.Runtime.InteropServices;
using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary>A keyword about members: it names the breaches that <see cref="ObjectShape"/> found.</summary>
internal abstract class MemberKeyword(KeywordSite site) : Keyword(site, Kinds.Objects)
{
    public sealed override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated) =>
        throw new InvalidOperationException("The answer comes from the shape.");
}

/// <summary><c>properties</c>.</summary>
internal sealed class PropertiesKeyword(KeywordSite site, ObjectShapeParts parts) : MemberKeyword(site)
{
    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        if (instance.GetPropertyCount() == 0)
            return;
        var found = new Dictionary<string, JsonProperty>(StringComparer.Ordinal);
        foreach (var member in instance.EnumerateObject())
            found[StringText.Unescape(JsonMarshal.GetRawUtf8PropertyName(member))] = member;
        foreach (var (name, node) in parts.Members)
        {
            if (found.TryGetValue(name, out var member))
                collector.Member(node, member, ref run);
        }
    }
}

/// <summary><c>patternProperties</c>.</summary>
internal sealed class PatternPropertiesKeyword(KeywordSite site, ObjectShapeParts parts) : MemberKeyword(site)
{
    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        foreach (var (pattern, node) in parts.Patterns)
        {
            foreach (var member in instance.EnumerateObject())
            {
                if (pattern.IsMatch(JsonMarshal.GetRawUtf8PropertyName(member), ref run))
                    collector.Member(node, member, ref run);
            }
        }
    }
}

/// <summary><c>additionalProperties</c>.</summary>
internal sealed class AdditionalPropertiesKeyword(KeywordSite site, ObjectShapeParts parts, bool forbids)
    : MemberKeyword(site)
{
    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        var known = parts.Members.Select(static m => m.Key).ToHashSet(StringComparer.Ordinal);
        List<string> extras = [];
        foreach (var member in instance.EnumerateObject())
        {
            var name = StringText.Unescape(JsonMarshal.GetRawUtf8PropertyName(member));
            if (known.Contains(name) || IsMatched(member, ref run))
                continue;
            if (forbids)
                extras.Add(name);
            else
                collector.Member(parts.Additional!, member, ref run);
        }

        if (extras.Count > 0 && run.Fault is null)
            collector.Add(this, Message(extras));
    }

    private bool IsMatched(JsonProperty member, ref Run run)
    {
        foreach (var (pattern, _) in parts.Patterns)
        {
            if (pattern.IsMatch(JsonMarshal.GetRawUtf8PropertyName(member), ref run))
                return true;
        }

        return false;
    }

    private string Message(List<string> extras)
    {
        if (parts.Patterns.Count == 0)
            return $"Additional properties are not allowed ({Surplus.Of(extras)} unexpected)";
        extras.Sort(string.CompareOrdinal);
        var patterns = parts.Patterns.Select(static p => p.Key.Source).Order(StringComparer.Ordinal);
        return $"{PythonText.Join(extras)} {(extras.Count == 1 ? "does" : "do")} not match any of the regexes: "
            + PythonText.Join(patterns);
    }
}

/// <summary><c>required</c>.</summary>
internal sealed class RequiredKeyword(KeywordSite site, ObjectShapeParts parts) : MemberKeyword(site)
{
    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        foreach (var name in parts.Required)
        {
            if (!instance.TryGetProperty(name, out _))
                collector.Add(this, $"{PythonText.Of(name)} is a required property");
        }
    }
}

/// <summary><c>propertyNames</c>.</summary>
internal sealed class PropertyNamesKeyword(KeywordSite site, SchemaNode names) : MemberKeyword(site)
{
    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        foreach (var member in instance.EnumerateObject())
            names.Collect(MemberName.Of(member), ref run, collector);
    }
}

/// <summary>A member's name as a JSON string.</summary>
internal static class MemberName
{
    public static JsonElement Of(JsonProperty member)
    {
        var name = JsonMarshal.GetRawUtf8PropertyName(member);
        Span<byte> quoted = name.Length <= 254 ? stackalloc byte[name.Length + 2] : new byte[name.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        name.CopyTo(quoted[1..]);
        return JsonElement.Parse(quoted);
    }
}
