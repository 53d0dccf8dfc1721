using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary><c>minLength</c>, <c>maxLength</c>, <c>minItems</c>, <c>maxItems</c>, <c>minProperties</c> and
/// <c>maxProperties</c>.</summary>
internal sealed class SizeKeyword(KeywordSite site, Kinds kind, long bound) : Assertion(site, kind)
{
    private readonly Kinds _kind = kind;
    private readonly bool _isUpper = site.Name.StartsWith("max", StringComparison.Ordinal);

    public override bool IsValid(JsonElement instance)
    {
        if (_kind == Kinds.Strings && IsPlain(StringText.Raw(instance).Length))
            return true;
        var size = _kind switch
        {
            Kinds.Strings => StringText.Length(instance),
            Kinds.Arrays => instance.GetArrayLength(),
            _ => instance.GetPropertyCount(),
        };
        return _isUpper ? size <= bound : size >= bound;
    }

    /// <summary>Whether so many bytes need no counting: a character takes one to twelve of them.</summary>
    private bool IsPlain(int bytes) => _isUpper ? bytes <= bound : bytes / 12 >= bound;

    protected override string Message(JsonElement instance)
    {
        var breach = (_kind, _isUpper) switch
        {
            (Kinds.Objects, true) => "has too many properties",
            (Kinds.Objects, false) => "does not have enough properties",
            (_, true) => "is too long",
            _ => "is too short",
        };
        return $"{PythonText.Of(instance)} {breach}";
    }
}

/// <summary><c>uniqueItems: true</c>.</summary>
internal sealed class UniqueItemsKeyword(KeywordSite site) : Assertion(site, Kinds.Arrays)
{
    public override bool IsValid(JsonElement instance) => ValueSet.AreUnique(instance);

    protected override string Message(JsonElement instance) =>
        $"{PythonText.Of(instance)} has non-unique elements";
}
