using System.Runtime.InteropServices;
using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary><c>unevaluatedProperties</c>.</summary>
internal sealed class UnevaluatedPropertiesKeyword(KeywordSite site, SchemaNode rest, bool forbids)
    : Keyword(site, Kinds.Objects)
{
    public override bool IsUnevaluated => true;

    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        var index = 0;
        foreach (var member in instance.EnumerateObject())
        {
            if (!evaluated!.Has(index++) && !rest.IsValid(member.Value, ref run, null))
                return false;
        }

        evaluated!.MarkAll();
        return true;
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector) =>
        CollectUnevaluated(instance, new Evaluated(), ref run, collector);

    public override void CollectUnevaluated(
        JsonElement instance, Evaluated looked, ref Run run, Collector collector)
    {
        if (instance.ValueKind != JsonValueKind.Object)
            return;
        List<string> refused = [];
        var index = 0;
        foreach (var member in instance.EnumerateObject())
        {
            if (!looked.Has(index++) && !rest.IsValid(member.Value, ref run, null))
                refused.Add(StringText.Unescape(JsonMarshal.GetRawUtf8PropertyName(member)));
        }

        if (refused.Count == 0)
            return;
        var rule = forbids ? "allowed" : "valid under the given schema";
        collector.Add(this, $"Unevaluated properties are not {rule} ({Surplus.Of(refused)} unexpected)");
    }
}

/// <summary><c>unevaluatedItems</c>.</summary>
internal sealed class UnevaluatedItemsKeyword(KeywordSite site, SchemaNode rest) : Keyword(site, Kinds.Arrays)
{
    public override bool IsUnevaluated => true;

    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        var index = 0;
        foreach (var item in instance.EnumerateArray())
        {
            if (!evaluated!.Has(index++) && !rest.IsValid(item, ref run, null))
                return false;
        }

        evaluated!.MarkAll();
        return true;
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector) =>
        CollectUnevaluated(instance, new Evaluated(), ref run, collector);

    public override void CollectUnevaluated(
        JsonElement instance, Evaluated looked, ref Run run, Collector collector)
    {
        if (instance.ValueKind != JsonValueKind.Array)
            return;
        List<JsonElement> refused = [];
        var index = 0;
        foreach (var item in instance.EnumerateArray())
        {
            if (!looked.Has(index++) && !rest.IsValid(item, ref run, null))
                refused.Add(item);
        }

        if (refused.Count > 0)
            collector.Add(this, $"Unevaluated items are not allowed ({Surplus.Of(refused)} unexpected)");
    }
}
