using Duplex.Engine.Mapping.Lenses;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>Checks whether the fields that a rule writes take what it writes.</summary>
internal static class TargetChecks
{
    /// <summary>Adds what it finds about the rule in the direction that begins at the side.</summary>
    public static void Run(MappingRule source, LensRule rule, Side from, StreamSchema target, List<Finding> findings)
    {
        var end = rule.End(from.Other());
        var letter = from.Other().Letter();
        var oneWay = from == Side.A ? "b_to_a" : "a_to_b";
        for (var i = 0; i < end.Paths.Count; i++)
        {
            var name = $"{letter}.{end.Paths[i]}";
            if (end.Fields[i].Field is not { } field)
            {
                continue;
            }

            if (!field.Writable)
            {
                Add(FindingSeverity.Error, "mapping.read_only", $"{name} of {target.Stream} cannot be written.",
                    $"Give the rule direction: {oneWay}.");
            }
            else if (field.CreateOnly)
            {
                Add(FindingSeverity.Warning, "mapping.create_only",
                    $"{name} can be set when a record is created and not later.",
                    $"Later changes of it will be refused; give the rule direction: {oneWay} if that is not meant.");
            }
            else if (target.Key is [var key] && end.Paths[i].Names is [var only] && only == key)
            {
                Add(FindingSeverity.Warning, "mapping.key",
                    $"{name} is the key of {target.Stream}: writing it gives records another one.",
                    $"Give the rule direction: {oneWay} unless the other side decides the key.");
            }

            CheckNull(rule, from, i, name, field, Add);
        }

        CheckTable(rule, from, end, Add);

        void Add(FindingSeverity severity, string code, string message, string suggestion) =>
            findings.Add(
                new Finding(severity, code, source.Path, $"{MappingChecks.Title(source)}: {message}", suggestion));
    }

    private static void CheckNull(
        LensRule rule, Side from, int i, string name, FieldSchema field, Action<FindingSeverity, string, string,
            string> add)
    {
        var nullable = rule.End(from).Fields.Any(static f => f.Field is { Nullable: true });
        var filled = rule.Chain.Any(l => l is DefaultLens
            && (from == Side.A ? l.ForwardLoss : l.BackwardLoss) == LensLoss.Collapses);
        if (!field.Nullable && nullable && !filled)
        {
            add(FindingSeverity.Warning, "mapping.null",
                $"{name} takes no null, and the other side may have one: such records fail.",
                "Add via: { default: … }, or make the field nullable.");
        }
    }

    private static void CheckTable(
        LensRule rule, Side from, RuleEnd end, Action<FindingSeverity, string, string, string> add)
    {
        if (rule.Chain.OfType<EnumLens>().FirstOrDefault() is not { } table
            || rule.Chain.OfType<EnumLens>().Count() > 1)
        {
            return;
        }

        var sourceValues = rule.End(from).Fields is [{ Field.Values: { } given }] ? given : [];
        var missing = sourceValues.Where(v => (from == Side.A
            ? table.Forward(FieldValue.Of(JsonText.String(v)))
            : table.Backward(FieldValue.Of(JsonText.String(v)))).Problem is not null).ToList();
        if (missing.Count > 0)
        {
            add(FindingSeverity.Warning, "mapping.table_incomplete",
                $"{from.Letter()} may have {string.Join(", ", missing.Take(10))}, and the table does not: such records fail.",
                "Add them to the table, or an entry for all others: \"*\": \"*\".");
        }

        var written = from == Side.A ? table.Images : table.Samples;
        if (end.Fields is [{ } target] && rule.Chain.All(static l => l is EnumLens or EmptyAsNullLens)
            && written.Select(target.Refusal).FirstOrDefault(static r => r is not null) is { } refusal)
        {
            add(FindingSeverity.Error, "mapping.table_refused", $"{end.Side.Letter()}.{end.Paths[0]} {refusal}",
                "Use only values that the field takes.");
        }
    }
}
