using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary>What a member's presence asks for.</summary>
/// <param name="Member">The member.</param>
/// <param name="Others">The members that must be there too.</param>
/// <param name="Schema">The schema that the whole object must satisfy; null for none.</param>
internal sealed record Dependency(string Member, string[] Others, SchemaNode? Schema);

/// <summary><c>dependentRequired</c>, <c>dependentSchemas</c> and <c>dependencies</c>.</summary>
internal sealed class DependentKeyword(KeywordSite site, Dependency[] dependencies) : Keyword(site, Kinds.Objects)
{
    public override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated)
    {
        var isValid = true;
        foreach (var dependency in dependencies)
        {
            if (!instance.TryGetProperty(dependency.Member, out _))
                continue;
            foreach (var other in dependency.Others)
                isValid = isValid && instance.TryGetProperty(other, out _);
            isValid &= dependency.Schema is null || dependency.Schema.IsValid(instance, ref run, evaluated);
            if (!isValid && evaluated is null)
                return false;
        }

        return isValid;
    }

    public override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        foreach (var dependency in dependencies)
        {
            if (!instance.TryGetProperty(dependency.Member, out _))
                continue;
            foreach (var other in dependency.Others)
            {
                if (!instance.TryGetProperty(other, out _))
                {
                    collector.Add(this,
                        $"{PythonText.Of(other)} is a dependency of {PythonText.Of(dependency.Member)}");
                }
            }

            dependency.Schema?.Collect(instance, ref run, collector);
        }
    }
}
