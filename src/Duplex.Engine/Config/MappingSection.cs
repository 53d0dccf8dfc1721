using System.Text.Json;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;

namespace Duplex.Engine.Config;

/// <summary>Reads <c>mapping:</c> and <c>match:</c> of a sync.</summary>
internal static class MappingSection
{
    private const int RulesMax = 1000;
    private const int PathsMax = 32;
    private static readonly string[] Members = ["a", "b", "via", "direction"];
    private static readonly string[] OutputMembers = ["a", "b", "via", "expression"];

    public static IReadOnlyList<MappingRule> Rules(Section sync, ConfigReport report) =>
        Rules(sync, "mapping", Members, report);

    /// <summary>The rules of a mapping that runs one way.</summary>
    public static IReadOnlyList<MappingRule> OutputRules(Section document, ConfigReport report) =>
        Rules(document, "rules", OutputMembers, report);

    private static List<MappingRule> Rules(Section sync, string member, string[] members, ConfigReport report)
    {
        var rules = new List<MappingRule>();
        var list = sync.List(member, $"Add {member}: with at least one rule, such as - {{ a: name, b: name }}.");
        if (list is { Items.Count: 0 or > RulesMax })
        {
            report.Error("config.bad_value", list, $"{member} must have from 1 to {RulesMax} rules.",
                "Add - { a: name, b: name }.");
        }

        foreach (var item in list?.Items ?? [])
        {
            if (sync.Expect<MapNode>(item, "A rule", "a map", "Write - { a: name, b: name }.") is { } map
                && Rule(map, members, report) is { } rule)
            {
                rules.Add(rule);
            }
        }

        return rules;
    }

    public static IReadOnlyList<MatchField> Match(Section sync, ConfigReport report)
    {
        var fields = new List<MatchField>();
        foreach (var item in sync.List("match")?.Items ?? [])
        {
            if (item is ScalarNode { IsNull: false } same && Path(same, report) is { } path)
            {
                fields.Add(new MatchField(path, path));
            }
            else if (item is MapNode map)
            {
                CheckMembers(map, ["a", "b"], "A match", report);
                if (OnePath(map, "a", report) is { } a && OnePath(map, "b", report) is { } b)
                {
                    fields.Add(new MatchField(a, b));
                }
            }
            else if (item is not ScalarNode)
            {
                report.Error("config.bad_value", item, "A match must name a field of each side.",
                    "Write - { a: email, b: email }.");
            }
        }

        return fields;
    }

    private static MappingRule? Rule(MapNode map, string[] members, ConfigReport report)
    {
        var before = report.Count;
        CheckMembers(map, members, "A rule", report);
        var a = Paths(map.Find("a"), report);
        var b = Paths(map.Find("b"), report);
        var via = Via(map.Find("via"), report);
        var only = Direction(map.Find("direction"), report);
        var expression = Expression(map.Find("expression"), a.Count + via.Count, report);
        if (a.Count == 0 && b.Count == 0 && report.Count == before)
        {
            report.Error("config.missing", map, "The rule names no field.", "Write - { a: name, b: name }.");
        }

        return report.Count > before ? null : new MappingRule(a, b, via, only, map.Pointer, expression);
    }

    private static string? Expression(ConfigNode? node, int others, ConfigReport report)
    {
        switch (node)
        {
            case null or ScalarNode { IsNull: true }:
                return null;
            case ScalarNode scalar when others == 0:
                return scalar.Text;
            default:
                report.Error("config.bad_value", node, "An expression is one text, and stands instead of a and via.",
                    "Write - { b: total, expression: \"$sum(lines.amount)\" }.");
                return null;
        }
    }

    private static void CheckMembers(MapNode map, string[] known, string what, ConfigReport report)
    {
        foreach (var (name, _) in map.Members)
        {
            if (!known.Contains(name.Text))
            {
                report.Error("config.unknown_member", name, $"{what} takes no {Section.Shown(name.Text)}.",
                    Spelling.Offer(name.Text, known));
            }
        }
    }

    private static List<FieldPath> Paths(ConfigNode? node, ConfigReport report)
    {
        var paths = new List<FieldPath>();
        var nodes = node switch
        {
            null or ScalarNode { IsNull: true } => [],
            ListNode list => list.Items,
            _ => [node],
        };
        if (nodes.Count > PathsMax)
        {
            report.Error("config.bad_value", node!, $"A side of a rule has at most {PathsMax} fields.",
                "Write several rules.");
        }

        foreach (var item in nodes.Take(PathsMax))
        {
            if (item is not ScalarNode scalar)
            {
                report.Error("config.bad_value", item, $"A path must be a single value, and it is {item.Describe()}.",
                    "Write names joined by dots, such as metadata.plan.");
            }
            else if (Path(scalar, report) is { } path)
            {
                paths.Add(path);
            }
        }

        return paths;
    }

    private static FieldPath? OnePath(MapNode map, string name, ConfigReport report)
    {
        if (map.Find(name) is ScalarNode { IsNull: false } scalar)
        {
            return Path(scalar, report);
        }

        report.Error("config.missing", map, $"The match has no {name}.", $"Add {name}: with the path of a field.");
        return null;
    }

    private static FieldPath? Path(ScalarNode scalar, ConfigReport report)
    {
        try
        {
            return new FieldPath(scalar.Text);
        }
        catch (FormatException)
        {
            report.Error("config.bad_value", scalar, $"{Section.Shown(scalar.Text)} is not a path.",
                "Write names joined by dots, such as metadata.plan; a dot within a name as \\.");
            return null;
        }
    }

    private static Side? Direction(ConfigNode? node, ConfigReport report)
    {
        switch (node)
        {
            case null or ScalarNode { IsNull: true } or ScalarNode { Text: "two_way" }:
                return null;
            case ScalarNode { Text: "a_to_b" }:
                return Side.A;
            case ScalarNode { Text: "b_to_a" }:
                return Side.B;
            default:
                var text = (node as ScalarNode)?.Text ?? "";
                report.Error("config.bad_value", node, "direction must be one of two_way, a_to_b, b_to_a.",
                    Spelling.Offer(text, ["two_way", "a_to_b", "b_to_a"]));
                return null;
        }
    }

    private static List<LensSpec> Via(ConfigNode? node, ConfigReport report)
    {
        var lenses = new List<LensSpec>();
        var nodes = node switch
        {
            null or ScalarNode { IsNull: true } => [],
            ListNode list => list.Items,
            _ => [node],
        };
        foreach (var item in nodes)
        {
            switch (item)
            {
                case ScalarNode scalar:
                    lenses.Add(new LensSpec(scalar.Text, null));
                    break;
                case MapNode { Members: [var only] }:
                    lenses.Add(new LensSpec(only.Name.Text, NodeJson.Of(only.Value)));
                    break;
                default:
                    report.Error("config.bad_value", item, "Each lens must be a name, or a name with its argument.",
                        "Write via: lowercase, via: { minor_units: 2 }, or a list of such: via: [ trim, lowercase ].");
                    break;
            }
        }

        return lenses;
    }
}
