using System.Text.Json;
using Duplex.Engine.Schemas.Patterns;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary><c>pattern</c>.</summary>
internal sealed class PatternKeyword(KeywordSite site, EcmaPattern pattern) : Keyword(site, Kinds.Strings)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated) =>
        pattern.IsMatch(StringText.Raw(instance), ref run);

    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        if (!IsValid(instance, ref run, null) && run.Fault is null)
            collector.Add(this, $"{PythonText.Of(instance)} does not match {PythonText.Of(pattern.Source)}");
    }
}
