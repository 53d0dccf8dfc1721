using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary><c>allOf</c>.</summary>
internal sealed class AllOfKeyword(KeywordSite site, SchemaNode[] branches) : Keyword(site, Kinds.All)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        var isValid = true;
        foreach (var branch in branches)
        {
            isValid &= branch.IsValid(instance, ref run, evaluated);
            if (!isValid && evaluated is null)
                return false;
        }

        return isValid;
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        foreach (var branch in branches)
            branch.Collect(instance, ref run, collector);
    }
}

/// <summary><c>anyOf</c>.</summary>
internal sealed class AnyOfKeyword(KeywordSite site, SchemaNode[] branches) : Keyword(site, Kinds.All)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        var isValid = false;
        foreach (var branch in branches)
        {
            isValid |= Branch.IsValid(branch, instance, ref run, evaluated);
            if (isValid && evaluated is null)
                return true;
        }

        return isValid;
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        if (IsValid(instance, ref run, null))
            return;
        List<SchemaError> context = [];
        foreach (var branch in branches)
            context.AddRange(collector.Branch(branch, instance, ref run));
        collector.Add(this, $"{PythonText.Of(instance)} is not valid under any of the given schemas", context);
    }
}

/// <summary><c>oneOf</c>.</summary>
internal sealed class OneOfKeyword(KeywordSite site, SchemaNode[] branches) : Keyword(site, Kinds.All)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        var valid = 0;
        foreach (var branch in branches)
        {
            if (Branch.IsValid(branch, instance, ref run, evaluated) && ++valid > 1)
                return false;
        }

        return valid == 1;
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        List<SchemaNode> valid = [];
        foreach (var branch in branches)
        {
            if (branch.IsValid(instance, ref run, null))
                valid.Add(branch);
        }

        if (valid.Count == 1)
            return;
        if (valid.Count > 1)
        {
            // The first to hold is named last.
            var named = valid.Skip(1).Append(valid[0]).Select(static v => v.Location.Element);
            collector.Add(this, $"{PythonText.Of(instance)} is valid under each of {PythonText.Join(named)}");
            return;
        }

        List<SchemaError> context = [];
        foreach (var branch in branches)
            context.AddRange(collector.Branch(branch, instance, ref run));
        collector.Add(this, $"{PythonText.Of(instance)} is not valid under any of the given schemas", context);
    }
}

/// <summary><c>not</c>.</summary>
internal sealed class NotKeyword(KeywordSite site, SchemaNode refused) : Keyword(site, Kinds.All)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated) =>
        !refused.IsValid(instance, ref run, null);

    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        if (!IsValid(instance, ref run, null))
        {
            collector.Add(this, $"{PythonText.Of(instance)} should not be valid under "
                + PythonText.Of(refused.Location.Element));
        }
    }
}

/// <summary><c>if</c> with <c>then</c> and <c>else</c>.</summary>
internal sealed class IfKeyword(KeywordSite site, SchemaNode condition, SchemaNode? then, SchemaNode? otherwise)
    : Keyword(site, Kinds.All)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        var next = Branch.IsValid(condition, instance, ref run, evaluated) ? then : otherwise;
        return next is null || next.IsValid(instance, ref run, evaluated);
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        var next = condition.IsValid(instance, ref run, null) ? then : otherwise;
        next?.Collect(instance, ref run, collector);
    }
}

/// <summary>A schema that may refuse without the whole refusing: what it marks counts only if it accepts.</summary>
internal static class Branch
{
    public static bool IsValid(SchemaNode branch, JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        if (evaluated is null)
            return branch.IsValid(instance, ref run, null);
        var looked = new Evaluated();
        if (!branch.IsValid(instance, ref run, looked))
            return false;
        evaluated.Add(looked);
        return true;
    }
}
