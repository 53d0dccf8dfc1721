using System.Text.Json;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary><c>$ref</c>.</summary>
internal sealed class RefKeyword(KeywordSite site, SchemaNode target) : Keyword(site, Kinds.All)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated) =>
        target.IsValid(instance, ref run, evaluated);

    public override void Collect(JsonElement instance, ref Run run, Collector collector) =>
        target.Collect(instance, ref run, collector);
}

/// <summary><c>$dynamicRef</c> to an anchor that an outer resource may have placed elsewhere.</summary>
internal sealed class DynamicRefKeyword(KeywordSite site, SchemaNode target, string anchor) : Keyword(site, Kinds.All)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated) =>
        Target(ref run).IsValid(instance, ref run, evaluated);

    public override void Collect(JsonElement instance, ref Run run, Collector collector) =>
        Target(ref run).Collect(instance, ref run, collector);

    private SchemaNode Target(ref Run run)
    {
        if (run.Scope is { } scope)
        {
            foreach (var resource in scope)
            {
                if (resource.DynamicNodes.TryGetValue(anchor, out var outermost))
                    return outermost;
            }
        }

        return target;
    }
}
