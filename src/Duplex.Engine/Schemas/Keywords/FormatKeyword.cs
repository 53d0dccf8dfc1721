using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary><c>format</c> where it refuses.</summary>
internal sealed class FormatKeyword(KeywordSite site, string format, Func<string, bool> isOne)
    : Assertion(site, Kinds.Strings)
{
    public override bool IsValid(JsonElement instance) => isOne(StringText.Decode(instance));

    protected override string Message(JsonElement instance) =>
        $"{PythonText.Of(instance)} is not a {PythonText.Of(format)}";
}
