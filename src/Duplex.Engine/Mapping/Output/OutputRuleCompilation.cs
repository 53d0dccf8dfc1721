using Duplex.Engine.Jsonata;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Output;

/// <summary>The compilation of one rule of an output mapping.</summary>
internal sealed class OutputRuleCompilation(MappingRule rule, string table, List<Finding> findings)
{
    private const string EventPrefix = "$event.";

    private static readonly StreamSchema Open = new("", [], [], Open: true);

    /// <summary>Puts the rule's node at its place, or adds what is wrong to the findings.</summary>
    public void AddTo(OutputObject root)
    {
        if (rule.OneWay == Side.B)
        {
            Fail("mapping.wrong_direction", "The rule runs from b to a, and an output mapping runs from a to b.", "Remove direction.");
        }
        else if (rule.B.Count != 1)
        {
            Fail("mapping.one_sided", "The rule must name one field of the output.", "Add b: with one path.");
        }
        else if (rule.A is [{ } only] && only.Text.Contains('*', StringComparison.Ordinal))
        {
            AddPattern(root, only.Text, rule.B[0]);
        }
        else if (Source() is { } source && Parent(root, rule.B[0]) is { } parent)
        {
            Place(parent, rule.B[0].Names[^1], static (name, s) => new OutputField(name, s), source);
        }
    }

    private OutputSource? Source() => rule.Expression is { } expression ? Expression(expression) : Lenses();

    private ExpressionSource? Expression(string text)
    {
        var compiled = JsonataExpression.Compile(text);
        if (compiled.Expression is { } expression)
        {
            return new ExpressionSource(rule.B[0].Text, expression);
        }

        Fail("mapping.expression", compiled.Problem!.Message, compiled.Problem.Suggestion ?? "Correct the expression.");
        return null;
    }

    private OutputSource? Lenses()
    {
        var fromEvent = rule.A.Count > 0 && rule.A.All(static p => p.Text.StartsWith(EventPrefix, StringComparison.Ordinal));
        if (!fromEvent && rule.A.Any(static p => p.Text.StartsWith('$')))
        {
            Fail("mapping.unknown_field", "Only $event has a meaning before a path, and all paths of a rule must have it or none.",
                "Write $event.key.id, $event.operation, $event.timestamp, or the name of a field.");
            return null;
        }

        var paths = fromEvent ? [.. rule.A.Select(static p => new FieldPath(p.Text[EventPrefix.Length..]))] : rule.A;
        var source = rule with { A = paths, OneWay = Side.A };
        return new RuleCompilation(source, Open with { Stream = table }, Open with { Stream = "output" }, findings).Compile() is not { } compiled
            ? null
            : fromEvent ? new EventSource(compiled, Asks(paths)) : new RowSource(compiled);
    }

    private static EventMembers Asks(IEnumerable<FieldPath> paths) => paths.Aggregate(EventMembers.None, static (asks, path) =>
        Enum.TryParse<EventMembers>(path.Names[0], ignoreCase: true, out var member) ? asks | member : asks);

    private void AddPattern(OutputObject root, string from, FieldPath to)
    {
        if (from.Count(static c => c == '*') != 1 || from.Contains('.', StringComparison.Ordinal)
            || to.Names[^1].Count(static c => c == '*') != 1 || rule.Via.Count > 0 || rule.Expression is not null)
        {
            Fail("mapping.bad_pattern", "A pattern for custom fields has one * in the name on each side, and nothing in between.",
                "For example - { a: cf_*, b: custom.* }");
            return;
        }

        if (Parent(root, to) is { } parent)
        {
            parent.Add(to.Text, new OutputPattern(Parts(from), Parts(to.Names[^1]), name => parent.Find(name) is not null));
        }
    }

    private OutputObject? Parent(OutputObject root, FieldPath path)
    {
        var parent = root;
        foreach (var name in path.Names.Take(path.Names.Count - 1))
        {
            if (parent.Find(name) is not { } found)
            {
                var child = new OutputObject(name);
                parent.Add(name, child);
                parent = child;
            }
            else if (found is OutputObject next)
            {
                parent = next;
            }
            else
            {
                Fail("mapping.duplicate_target", $"{name} is a field of its own already, and {path} lies in it.", "Give one of the two another name.");
                return null;
            }
        }

        return parent;
    }

    private void Place(OutputObject parent, string name, Func<string, OutputSource, OutputNode> make, OutputSource source)
    {
        if (parent.Find(name) is not null)
        {
            Fail("mapping.duplicate_target", $"Another rule writes {rule.B[0]} already.", "Remove one of the two.");
            return;
        }

        parent.Add(name, make(name, source));
    }

    private static (string Before, string After) Parts(string pattern) =>
        (pattern[..pattern.IndexOf('*', StringComparison.Ordinal)], pattern[(pattern.IndexOf('*', StringComparison.Ordinal) + 1)..]);

    private void Fail(string code, string message, string suggestion) =>
        findings.Add(new Finding(FindingSeverity.Error, code, rule.Path, $"{table}: {message}", suggestion));
}
