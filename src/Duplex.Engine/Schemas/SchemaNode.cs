using System.Text.Json;
using Duplex.Engine.Schemas.Documents;
using Duplex.Engine.Schemas.Keywords;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas;

/// <summary>One compiled schema or subschema.</summary>
internal sealed class SchemaNode(SchemaLocation location)
{
    private static readonly Keyword[] Nothing = [];

    private bool? _constant;
    private Keyword[] _reports = Nothing;
    private Keyword[] _unevaluated = Nothing;
    private readonly Keyword[][] _byKind = [.. Enumerable.Repeat(Nothing, (int)JsonValueKind.Null + 1)];

    /// <summary>Where it stands.</summary>
    public SchemaLocation Location => location;

    /// <summary>The resource that it belongs to.</summary>
    public SchemaResource Resource => location.Resource;

    /// <summary>The schemas that look at the same instance as this one.</summary>
    public List<SchemaNode> InPlace { get; } = [];

    /// <summary>Makes it a schema that accepts or refuses everything.</summary>
    public void Fill(bool accepts) => _constant = accepts;

    /// <summary>Gives it its keywords.</summary>
    /// <param name="reports">In the document's order, for errors.</param>
    /// <param name="checks">In the order that refuses soonest, for the answer alone.</param>
    public void Fill(IReadOnlyList<Keyword> reports, IReadOnlyList<Keyword> checks)
    {
        _reports = [.. reports];
        _unevaluated = [.. checks.Where(static k => k.IsUnevaluated)];
        for (var kind = JsonValueKind.Object; kind <= JsonValueKind.Null; kind++)
        {
            var deciding = checks.OfType<TypeKeyword>().FirstOrDefault();
            _byKind[(int)kind] = deciding is not null && !deciding.Allows(kind)
                ? [deciding]
                : [.. checks.Where(k => !k.IsUnevaluated && k.LooksAt(kind))];
        }
    }

    /// <summary>Whether the instance satisfies it; marks what it evaluates when asked to.</summary>
    public bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        if (_constant is { } constant)
            return constant;
        var checks = _byKind[(int)instance.ValueKind];
        if (checks.Length == 0 && _unevaluated.Length == 0)
            return true;
        if (!run.Enter(this))
            return false;
        var isValid = _unevaluated.Length == 0
            ? AreValid(checks, instance, ref run, evaluated)
            : IsWhollyEvaluated(checks, instance, ref run, evaluated);
        run.Leave();
        return isValid;
    }

    /// <summary>Collects every error.</summary>
    public void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        if (collector.IsFull || _constant == true)
            return;
        if (_constant == false)
        {
            collector.Add("false", location.Display, $"False schema does not allow {PythonText.Of(instance)}");
            return;
        }

        if (!run.Enter(this))
            return;
        var looked = _unevaluated.Length == 0 ? null : Look(instance, ref run);
        foreach (var keyword in _reports)
        {
            if (keyword.IsUnevaluated)
                keyword.CollectUnevaluated(instance, looked!, ref run, collector);
            else if (keyword.LooksAt(instance.ValueKind))
                keyword.Collect(instance, ref run, collector);
        }

        run.Leave();
    }

    private static bool AreValid(Keyword[] checks, JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        foreach (var check in checks)
        {
            if (!check.IsValid(instance, ref run, evaluated))
                return false;
        }

        return true;
    }

    private bool IsWhollyEvaluated(Keyword[] checks, JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        var looked = new Evaluated();
        if (!AreValid(checks, instance, ref run, looked))
            return false;
        foreach (var keyword in _unevaluated)
        {
            if (keyword.LooksAt(instance.ValueKind) && !keyword.IsValid(instance, ref run, looked))
                return false;
        }

        evaluated?.Add(looked);
        return true;
    }

    private Evaluated Look(JsonElement instance, ref Run run)
    {
        var looked = new Evaluated();
        foreach (var check in _byKind[(int)instance.ValueKind])
            check.IsValid(instance, ref run, looked);
        return looked;
    }
}
