using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary><c>prefixItems</c>, and draft-07's <c>items</c> with an array: one schema for each place.</summary>
internal sealed class PrefixItemsKeyword(KeywordSite site, SchemaNode[] places) : Keyword(site, Kinds.Arrays)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        var index = 0;
        var isValid = true;
        foreach (var item in instance.EnumerateArray())
        {
            if (index == places.Length)
                break;
            isValid &= places[index].IsValid(item, ref run, null);
            if (!isValid && evaluated is null)
                return false;
            evaluated?.Mark(index);
            index++;
        }

        return isValid;
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        var index = 0;
        foreach (var item in instance.EnumerateArray())
        {
            if (index == places.Length)
                break;
            collector.Item(places[index], index, item, ref run);
            index++;
        }
    }
}

/// <summary><c>items</c> with one schema, and draft-07's <c>additionalItems</c>: the items after the first few.</summary>
internal sealed class ItemsKeyword(KeywordSite site, SchemaNode rest, int first) : Keyword(site, Kinds.Arrays)
{
    /// <summary>Whether the schema is <c>false</c>: there may be no such items.</summary>
    public required bool Forbids { get; init; }

    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        evaluated?.MarkAll();
        var index = 0;
        foreach (var item in instance.EnumerateArray())
        {
            if (index++ >= first && !rest.IsValid(item, ref run, null))
                return false;
        }

        return true;
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        if (Forbids)
        {
            CollectForbidden(instance, collector);
            return;
        }

        var index = 0;
        foreach (var item in instance.EnumerateArray())
        {
            if (index >= first)
                collector.Item(rest, index, item, ref run);
            index++;
        }
    }

    private void CollectForbidden(JsonElement instance, Collector collector)
    {
        var count = instance.GetArrayLength();
        if (count <= first)
            return;
        collector.Add(this, Name == "items"
            ? $"Expected at most {first} items, but found {count}"
            : $"Additional items are not allowed ({Surplus.Of(instance.EnumerateArray().Skip(first))} unexpected)");
    }
}

/// <summary><c>contains</c> with <c>minContains</c> and <c>maxContains</c>.</summary>
internal sealed class ContainsKeyword(KeywordSite site, SchemaNode item, ContainsBounds bounds)
    : Keyword(site, Kinds.Arrays)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        var found = 0L;
        var index = 0;
        foreach (var element in instance.EnumerateArray())
        {
            if (item.IsValid(element, ref run, null))
            {
                found++;
                if (bounds.Marks)
                    evaluated?.Mark(index);
                if (evaluated is null && bounds.Max is null && found >= bounds.Min)
                    return true;
            }

            index++;
        }

        return found >= bounds.Min && found <= (bounds.Max ?? long.MaxValue);
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        var found = 0L;
        foreach (var element in instance.EnumerateArray())
            found += item.IsValid(element, ref run, null) ? 1 : 0;
        if (found > bounds.Max)
        {
            collector.Add("maxContains", bounds.MaxPointer ?? Pointer,
                $"Too many items match the given schema (expected at most {bounds.Max})");
        }
        else if (found < bounds.Min && found > 0)
        {
            collector.Add("minContains", bounds.MinPointer ?? Pointer,
                $"Too few items match the given schema (expected at least {bounds.Min} but only {found} matched)");
        }
        else if (found < bounds.Min)
        {
            collector.Add(this, bounds.Marks
                ? $"{PythonText.Of(instance)} does not contain items matching the given schema"
                : $"None of {PythonText.Of(instance)} are valid under the given schema");
        }
    }
}

/// <summary>How many items <c>contains</c> asks for.</summary>
/// <param name="Min">At least.</param>
/// <param name="Max">At most; null for any number.</param>
/// <param name="MinPointer">Where <c>minContains</c> stands.</param>
/// <param name="MaxPointer">Where <c>maxContains</c> stands.</param>
/// <param name="Marks">Whether what it finds counts as evaluated, which it does since draft 2020-12.</param>
internal sealed record ContainsBounds(long Min, long? Max, string? MinPointer, string? MaxPointer, bool Marks);
