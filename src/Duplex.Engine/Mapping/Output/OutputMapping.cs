using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Output;

/// <summary>
/// A mapping that runs one way, from a change to the record that a customer gets. Immutable; called from many tasks at once.
/// </summary>
public sealed class OutputMapping
{
    private readonly (OutputLeaf Leaf, OutputObject[] Place)[] _leaves;
    private readonly EventMembers _asks;

    private OutputMapping(OutputObject root)
    {
        Root = root;
        _leaves = [.. root.Leaves([])];
        _asks = _leaves.Aggregate(EventMembers.None, static (asks, l) => asks | l.Leaf.Asks);
    }

    /// <summary>What it writes.</summary>
    internal OutputObject Root { get; }

    /// <summary>Compiles rules; null with the reasons among the findings.</summary>
    /// <param name="rules">The rules; paths of A read the row, and the change by <c>$event.…</c>.</param>
    /// <param name="table">The table, for messages.</param>
    public static (OutputMapping? Mapping, IReadOnlyList<Finding> Findings) Compile(
        IReadOnlyList<MappingRule> rules, string table)
    {
        ArgumentNullException.ThrowIfNull(rules);
        var findings = new List<Finding>();
        var root = new OutputObject();
        foreach (var rule in rules)
        {
            new OutputRuleCompilation(rule, table, findings).AddTo(root);
        }

        return (findings.Exists(static f => f.Severity == FindingSeverity.Error) ? null : new OutputMapping(root), findings);
    }

    /// <summary>Writes the output record.</summary>
    /// <returns>Null; or why the change has no output, when what was written is of no use.</returns>
    public SyncError? Write(OutputInput input, Utf8JsonWriter writer)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(writer);
        input.Asked = _asks;
        var cursor = new OutputCursor(writer);
        writer.WriteStartObject();
        foreach (var (leaf, place) in _leaves)
        {
            if (leaf.Write(input, ref cursor, place) is { } problem)
            {
                return new SyncError(ErrorCode.MappingFailed, problem,
                    Suggestion: "Correct the value at its source, or the mapping rule, then replay this dead letter.");
            }
        }

        cursor.GoTo([]);
        writer.WriteEndObject();
        return null;
    }
}
