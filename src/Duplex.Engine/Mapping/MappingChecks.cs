using Duplex.Engine.Config;
using Duplex.Engine.Mapping.Lenses;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>Checks compiled rules in the directions in which the sync carries them.</summary>
internal static class MappingChecks
{
    private static readonly Side[] BothSides = [Side.A, Side.B];

    /// <summary>Adds what it finds.</summary>
    public static void Run(
        SyncModel sync, StreamSchema a, StreamSchema b, List<(MappingRule Source, LensRule Rule)> rules, bool broken,
        List<Finding> findings)
    {
        if (sync.Mapping.Count == 0)
        {
            findings.Add(new Finding(FindingSeverity.Error, "mapping.empty", $"{sync.Path}/mapping",
                $"The sync {sync.Name} has no rules and would carry nothing.", "Add - { a: name, b: name }."));
        }

        foreach (var (source, rule) in rules)
        {
            CheckRule(sync, a, b, source, rule, findings);
        }

        foreach (var from in BothSides.Where(sync.Flows))
        {
            var target = from == Side.A ? b : a;
            CheckTargets(sync, from, rules, findings);
            if (!broken)
            {
                CheckRequired(sync, from, target, rules, findings);
            }
        }

        if (!broken)
        {
            CheckMatch(sync, rules, findings);
            CheckConflicts(sync, rules, findings);
        }
    }

    /// <summary>The rule for people: its paths.</summary>
    public static string Title(MappingRule rule) =>
        $"Rule {Join(rule.A)}{(rule.OneWay switch { Side.A => " → ", Side.B => " ← ", _ => " ↔ " })}{Join(rule.B)}";

    private static string Join(IReadOnlyList<FieldPath> paths) =>
        paths.Count == 0 ? "(constant)" : string.Join("+", paths.Select(static p => Section.Shown(p.Text)));

    private static void CheckRule(
        SyncModel sync, StreamSchema a, StreamSchema b, MappingRule source, LensRule rule, List<Finding> findings)
    {
        var forward = sync.Flows(Side.A) && rule.Flows(Side.A);
        var backward = sync.Flows(Side.B) && rule.Flows(Side.B);
        if (!forward && !backward)
        {
            Add(FindingSeverity.Warning, "mapping.never_runs", "The rule does not run in the direction of the sync.",
                "Remove the rule's direction, or the rule.");
        }

        foreach (var lens in rule.Chain)
        {
            CheckDirections(lens, source, forward, backward, findings);
        }

        if (forward && backward && !rule.Chain.Any(static l => l.IsAmbiguous)
            && RoundTripCheck.Run(rule) is var (side, sample))
        {
            Add(FindingSeverity.Error, "mapping.round_trip",
                $"{side.Letter()}'s value {sample} goes to the other side and comes back as something else.",
                "Check the order of the lenses, or give the rule one direction.");
        }

        if (forward)
        {
            TargetChecks.Run(source, rule, Side.A, b, findings);
        }

        if (backward)
        {
            TargetChecks.Run(source, rule, Side.B, a, findings);
        }

        void Add(FindingSeverity severity, string code, string message, string suggestion) =>
            findings.Add(new Finding(severity, code, source.Path, $"{Title(source)}: {message}", suggestion));
    }

    private static void CheckDirections(Lens lens, MappingRule source, bool forward, bool backward,
        List<Finding> findings)
    {
        var impossible = lens.BackwardLoss == LensLoss.Impossible ? Side.B
            : lens.ForwardLoss == LensLoss.Impossible ? Side.A : default(Side?);
        if (impossible is { } from && source.OneWay == from)
        {
            findings.Add(new Finding(FindingSeverity.Error, "mapping.not_invertible", source.Path,
                $"{Title(source)}: {lens.Name} does not run from {from.Letter()} to {from.Other().Letter()}.",
                "Remove the rule's direction."));
        }
        else if (lens.IsAmbiguous && forward && backward)
        {
            findings.Add(new Finding(FindingSeverity.Error, "mapping.not_invertible", source.Path,
                $"{Title(source)}: {lens.Name} cannot be undone: {lens.Loss}.",
                "Make its values distinct, or give the rule direction: a_to_b."));
        }
        else if (lens.Loss is { } loss && ((forward && lens.ForwardLoss == LensLoss.Collapses)
            || (backward && lens.BackwardLoss == LensLoss.Collapses)))
        {
            findings.Add(new Finding(FindingSeverity.Warning, "mapping.lossy", source.Path,
                $"{Title(source)}: {lens.Name} loses detail: {loss}.", "Keep it if that is meant."));
        }
    }

    /// <summary>Two rules that write one place, or one place within the other, overwrite each other.</summary>
    private static void CheckTargets(
        SyncModel sync, Side from, List<(MappingRule Source, LensRule Rule)> rules, List<Finding> findings)
    {
        var written = new List<(FieldPath Path, MappingRule Source)>();
        foreach (var (source, rule) in rules.Where(r => r.Rule.Flows(from)))
        {
            foreach (var path in rule.End(from.Other()).Paths)
            {
                var other = written.Find(w => Overlap(w.Path, path));
                if (other.Source is not null)
                {
                    findings.Add(new Finding(FindingSeverity.Error, "mapping.written_twice", source.Path,
                        $"{Title(source)}: {from.Other().Letter()}.{path} is also written by {Title(other.Source)} ({other.Source.Path}).",
                        $"Remove one of them, or give one direction: {(from == Side.A ? "b_to_a" : "a_to_b")}."));
                }

                written.Add((path, source));
            }
        }
    }

    private static bool Overlap(FieldPath left, FieldPath right)
    {
        var shared = Math.Min(left.Names.Count, right.Names.Count);
        return left.Names.Take(shared).SequenceEqual(right.Names.Take(shared), StringComparer.Ordinal);
    }

    private static void CheckRequired(
        SyncModel sync, Side from, StreamSchema target, List<(MappingRule Source, LensRule Rule)> rules,
            List<Finding> findings)
    {
        var written = rules.Where(r => r.Rule.Flows(from))
            .SelectMany(r => r.Rule.End(from.Other()).Paths).Select(static p => p.Names[0])
                .ToHashSet(StringComparer.Ordinal);
        foreach (var field in target.Fields.Where(f => f.Required && f.Writable && !written.Contains(f.Name)))
        {
            var letter = from.Other().Letter();
            findings.Add(new Finding(FindingSeverity.Error, "mapping.required_unmapped", $"{sync.Path}/mapping",
                $"{letter}.{field.Name} of {target.Stream} must be given to create a record, and no rule writes it.",
                target.Key.Contains(field.Name)
                    ? $"It is the key: let the other system give each record its own by a default, write {letter}: {field.Name} "
                        + $"from a field that is different in every record, or set direction: {(from == Side.A ? "b_to_a" : "a_to_b")}."
                    : $"Add a rule with {letter}: {field.Name}, for example - {{ {letter}: {field.Name}, via: {{ constant: … }} }}, "
                        + "or give the field a default there."));
        }
    }

    private static void CheckMatch(
        SyncModel sync, List<(MappingRule Source, LensRule Rule)> rules, List<Finding> findings)
    {
        for (var i = 0; i < sync.Match.Count; i++)
        {
            var match = sync.Match[i];
            if (!rules.Exists(r => r.Source.A.Contains(match.A) && r.Source.B.Contains(match.B)))
            {
                findings.Add(new Finding(FindingSeverity.Error, "mapping.match_unmapped", $"{sync.Path}/match/{i}",
                    $"Records are matched by a.{match.A} and b.{match.B}, and no rule pairs these two.",
                    $"Add - {{ a: {match.A}, b: {match.B} }} to mapping."));
            }
        }
    }

    private static void CheckConflicts(
        SyncModel sync, List<(MappingRule Source, LensRule Rule)> rules, List<Finding> findings)
    {
        var names = rules.SelectMany(static r => r.Source.A.Concat(r.Source.B).Select(static p => p.Text)
            .Append(r.Rule.Name))
            .Distinct(StringComparer.Ordinal).ToList();
        foreach (var field in sync.ConflictByField.Keys.Where(f => !names.Contains(f)))
        {
            findings.Add(
                new Finding(FindingSeverity.Error, "mapping.unknown_field", $"{sync.Path}/conflict/fields/{field}",
                $"The conflict policy names {Section.Shown(field)}, and no rule has it.",
                Spelling.Offer(field, names)));
        }
    }
}
