using System.Text.Json;
using Duplex.Engine.Schemas.Documents;
using Duplex.Engine.Schemas.Patterns;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary>Compiles the keywords of one schema. What the metaschema refuses is left out here: it says so.</summary>
internal sealed class KeywordBuilder(SchemaCompiler compiler, SchemaNode node)
{
    private readonly SchemaLocation _here = node.Location;
    private readonly Dialect _dialect = node.Resource.Dialect;
    private readonly List<Keyword> _reports = [];
    private readonly ObjectShapeParts _parts = new();

    private JsonElement Schema => _here.Element;

    /// <summary>Fills the node.</summary>
    public void Build()
    {
        var hasRef = Schema.TryGetProperty("$ref", out var reference) && reference.ValueKind == JsonValueKind.String;
        foreach (var member in Schema.EnumerateObject())
        {
            if (hasRef && _dialect.RefStandsAlone && member.Name != "$ref")
                continue;
            if (Keyword(member.Name, member.Value) is { } keyword)
                _reports.Add(keyword);
        }

        List<Keyword> checks = [.. _reports.Where(static r => r is Assertion)];
        if (!_parts.IsEmpty)
            checks.Add(new ObjectShape(_parts));
        checks.AddRange(_reports.Where(static r => r is not (Assertion or MemberKeyword)));
        node.Fill(_reports, checks);
    }

    private Keyword? Keyword(string name, JsonElement value)
    {
        var site = new KeywordSite(name, $"{_here.Display}/{JsonPointer.Escape(name)}");
        switch (name)
        {
            case "$ref" when value.ValueKind == JsonValueKind.String:
                return Reference(site, value.GetString()!);
            case "$dynamicRef" when _dialect.Generation == Generation.Draft202012
                && value.ValueKind == JsonValueKind.String:
                return DynamicReference(site, value.GetString()!);
            case "format":
                return AssertionKeywords.Format(this, site, value);
            case "$recursiveRef" when _dialect.Generation == Generation.Draft201909:
                compiler.Report(_here, name, "schema.keyword_unknown", "$recursiveRef is not supported.",
                    "Use draft 2020-12 with $dynamicRef.");
                return null;
        }

        var parts = _dialect.Vocabularies;
        return (parts.HasFlag(Vocabularies.Validation) ? AssertionKeywords.Build(this, site, value) : null)
            ?? (parts.HasFlag(Vocabularies.Applicator) ? Applicator(site, value) : null)
            ?? (parts.HasFlag(Vocabularies.Unevaluated) ? Unevaluated(site, value) : null);
    }

    /// <summary>The dialect of the schema.</summary>
    public Dialect Dialect => _dialect;

    /// <summary>What the keywords about members share.</summary>
    public ObjectShapeParts Parts => _parts;

    /// <summary>Whether <c>format</c> refuses.</summary>
    public bool AssertsFormat => compiler.AssertsFormat(_here.Resource);

    /// <summary>Compiles a pattern; null, with a finding, when it is none.</summary>
    /// <param name="keyword">The keyword that it stands in.</param>
    /// <param name="source">The pattern.</param>
    public EcmaPattern? Pattern(string keyword, string source)
    {
        if (EcmaPattern.TryCompile(source, out var problem) is { } pattern)
            return pattern;
        compiler.Report(_here, keyword, "schema.pattern_invalid",
            $"'{source}' is not a pattern that can be used: {problem}.", "Correct it; patterns follow ECMA-262.");
        return null;
    }

    private Keyword? Applicator(KeywordSite site, JsonElement value) => site.Name switch
    {
        "allOf" or "anyOf" or "oneOf" when value.ValueKind == JsonValueKind.Array => Several(site, value),
        "not" when IsSchema(value) => new NotKeyword(site, InPlace(site.Name, value)),
        "if" when IsSchema(value) => new IfKeyword(site, InPlace("if", value), Optional("then"), Optional("else")),
        "properties" or "patternProperties" or "additionalProperties" or "propertyNames" => Members(site, value),
        "dependentSchemas" or "dependencies" when value.ValueKind == JsonValueKind.Object => Dependent(site, value),
        "items" or "prefixItems" or "additionalItems" => Items(site, value),
        "contains" when IsSchema(value) => Contains(site, value),
        _ => null,
    };

    private Keyword? Unevaluated(KeywordSite site, JsonElement value)
    {
        if (_dialect.Generation == Generation.Draft7 || !IsSchema(value))
            return null;
        return site.Name switch
        {
            "unevaluatedProperties" => new UnevaluatedPropertiesKeyword(
                site, Below(site.Name, value), value.ValueKind == JsonValueKind.False),
            "unevaluatedItems" => new UnevaluatedItemsKeyword(site, Below(site.Name, value)),
            _ => null,
        };
    }

    private Keyword? Reference(KeywordSite site, string reference)
    {
        if (compiler.Resolve(_here, site.Name, reference) is not { } target)
            return null;
        var found = compiler.Node(target);
        node.InPlace.Add(found);
        return new RefKeyword(site, found);
    }

    private Keyword? DynamicReference(KeywordSite site, string reference)
    {
        if (compiler.Resolve(_here, site.Name, reference) is not { } target)
            return null;
        var found = compiler.Node(target);
        node.InPlace.Add(found);
        var anchor = Uri.UnescapeDataString(UriReference.Parse(reference).Fragment ?? "");
        if (!target.Resource.DynamicAnchors.TryGetValue(anchor, out var dynamic) || dynamic.Pointer != target.Pointer)
            return new RefKeyword(site, found);
        compiler.TracksScope = true;
        return new DynamicRefKeyword(site, found, anchor);
    }

    private Keyword Several(KeywordSite site, JsonElement value)
    {
        var branches = Nodes(site.Name, value);
        node.InPlace.AddRange(branches);
        return site.Name switch
        {
            "allOf" => new AllOfKeyword(site, branches),
            "anyOf" => new AnyOfKeyword(site, branches),
            _ => new OneOfKeyword(site, branches),
        };
    }

    private Keyword? Members(KeywordSite site, JsonElement value)
    {
        switch (site.Name)
        {
            case "properties" when value.ValueKind == JsonValueKind.Object:
                foreach (var member in value.EnumerateObject().Where(static m => IsSchema(m.Value)))
                    _parts.Members.Add(new(member.Name, Below($"properties/{Escape(member)}", member.Value)));
                return new PropertiesKeyword(site, _parts);
            case "patternProperties" when value.ValueKind == JsonValueKind.Object:
                foreach (var member in value.EnumerateObject().Where(static m => IsSchema(m.Value)))
                {
                    if (Pattern(site.Name, member.Name) is { } pattern)
                        _parts.Patterns.Add(new(pattern, Below($"patternProperties/{Escape(member)}", member.Value)));
                }

                return new PatternPropertiesKeyword(site, _parts);
            case "additionalProperties" when IsSchema(value):
                _parts.Additional = Below(site.Name, value);
                return new AdditionalPropertiesKeyword(site, _parts, value.ValueKind == JsonValueKind.False);
            case "propertyNames" when IsSchema(value):
                _parts.Names = Below(site.Name, value);
                return new PropertyNamesKeyword(site, _parts.Names);
            default:
                return null;
        }
    }

    private Keyword? Dependent(KeywordSite site, JsonElement value)
    {
        if (site.Name == "dependentSchemas" && _dialect.Generation == Generation.Draft7)
            return null;
        List<Dependency> all = [];
        foreach (var member in value.EnumerateObject())
        {
            if (IsSchema(member.Value))
                all.Add(new(member.Name, [], InPlace($"{site.Name}/{Escape(member)}", member.Value)));
            else if (site.Name == "dependencies" && member.Value.ValueKind == JsonValueKind.Array)
                all.Add(new(member.Name, AssertionKeywords.Texts(member.Value), null));
        }

        return new DependentKeyword(site, [.. all]);
    }

    private Keyword? Items(KeywordSite site, JsonElement value)
    {
        var isLatest = _dialect.Generation == Generation.Draft202012;
        var forbids = value.ValueKind == JsonValueKind.False;
        switch (site.Name)
        {
            case "prefixItems" when isLatest && value.ValueKind == JsonValueKind.Array:
            case "items" when !isLatest && value.ValueKind == JsonValueKind.Array:
                return new PrefixItemsKeyword(site, Nodes(site.Name, value));
            case "items" when IsSchema(value):
                var first = isLatest ? Length("prefixItems") : 0;
                return new ItemsKeyword(site, Below(site.Name, value), first) { Forbids = forbids && isLatest };
            case "additionalItems" when !isLatest && IsSchema(value) && IsArray("items"):
                return new ItemsKeyword(site, Below(site.Name, value), Length("items")) { Forbids = forbids };
            default:
                return null;
        }
    }

    private ContainsKeyword Contains(KeywordSite site, JsonElement value)
    {
        var item = Below(site.Name, value);
        if (_dialect.Generation == Generation.Draft7 || !_dialect.Vocabularies.HasFlag(Vocabularies.Validation))
            return new ContainsKeyword(site, item, new ContainsBounds(1, null, null, null, Marks: HasMarks));
        var least = Schema.TryGetProperty("minContains", out var min) ? AssertionKeywords.Count(min) : null;
        var most = Schema.TryGetProperty("maxContains", out var max) ? AssertionKeywords.Count(max) : null;
        return new ContainsKeyword(site, item, new ContainsBounds(least ?? 1, most,
            _here.Display + "/minContains", _here.Display + "/maxContains", HasMarks));
    }

    private bool HasMarks => _dialect.Generation == Generation.Draft202012;

    private int Length(string keyword) =>
        IsArray(keyword) ? Schema.GetProperty(keyword).GetArrayLength() : 0;

    private bool IsArray(string keyword) =>
        Schema.TryGetProperty(keyword, out var value) && value.ValueKind == JsonValueKind.Array;

    private SchemaNode? Optional(string keyword) =>
        Schema.TryGetProperty(keyword, out var value) && IsSchema(value) ? InPlace(keyword, value) : null;

    private SchemaNode[] Nodes(string keyword, JsonElement value) =>
        [.. value.EnumerateArray().Select((item, index) => Below($"{keyword}/{index}", item))];

    private SchemaNode InPlace(string pointer, JsonElement value)
    {
        var below = Below(pointer, value);
        node.InPlace.Add(below);
        return below;
    }

    private SchemaNode Below(string pointer, JsonElement value) =>
        compiler.Below(_here, $"{_here.Pointer}/{pointer}", value);

    private static string Escape(JsonProperty member) => JsonPointer.Escape(member.Name);

    private static bool IsSchema(JsonElement value) => SubschemaPlaces.IsSchema(value);
}
