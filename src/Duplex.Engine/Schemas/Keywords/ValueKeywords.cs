using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary><c>enum</c>.</summary>
internal sealed class EnumKeyword(KeywordSite site, JsonElement values) : Assertion(site, Kinds.All)
{
    private readonly ValueSet _values = new(values.EnumerateArray());

    public override bool IsValid(JsonElement instance) => _values.Contains(instance);

    protected override string Message(JsonElement instance) =>
        $"{PythonText.Of(instance)} is not one of {PythonText.Of(values)}";
}

/// <summary><c>const</c>.</summary>
internal sealed class ConstKeyword(KeywordSite site, JsonElement value) : Assertion(site, Kinds.All)
{
    public override bool IsValid(JsonElement instance) => JsonEquality.AreEqual(value, instance);

    protected override string Message(JsonElement instance) => $"{PythonText.Of(value)} was expected";
}
