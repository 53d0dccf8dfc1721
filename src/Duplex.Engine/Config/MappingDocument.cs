using Duplex.Engine.Mapping;
using Duplex.Engine.Mapping.Output;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>
/// A mapping of one table for one customer, as data: YAML or JSON with <c>rules</c>, and optionally <c>when</c> (which records) and
/// <c>operations</c> (which of insert, update, delete). Immutable.
/// </summary>
public sealed class MappingDocument
{
    private MappingDocument(string text, OutputMapping mapping, Predicate? when, IReadOnlySet<ChangeOperation> operations) =>
        (Text, Mapping, When, Operations) = (text, mapping, when, operations);

    /// <summary>The document as it was given.</summary>
    public string Text { get; }

    /// <summary>The rules, ready to run.</summary>
    public OutputMapping Mapping { get; }

    /// <summary>Which records are carried; null for all.</summary>
    public Predicate? When { get; }

    /// <summary>Which operations are carried; reads count as inserts.</summary>
    public IReadOnlySet<ChangeOperation> Operations { get; }

    /// <summary>Reads and checks a document; null with the reasons among the findings, each with its line.</summary>
    /// <param name="text">YAML, of which JSON is a part.</param>
    /// <param name="file">What findings call it.</param>
    /// <param name="table">The table that it is for.</param>
    public static (MappingDocument? Document, IReadOnlyList<Finding> Findings) Read(string text, string file, string table)
    {
        ArgumentNullException.ThrowIfNull(text);
        var report = new ConfigReport(file);
        if (YamlTree.Read(text, report) is not MapNode map)
        {
            if (!report.HasErrors)
            {
                report.Error("config.missing", new ScalarNode("", 1, 1, "", false), "The mapping has no rules.",
                    "Begin with rules: and - { a: name, b: name }.");
            }

            return (null, report.Findings);
        }

        var section = new Section(map, "The mapping", report, new References(report, static _ => null, static () => null));
        var rules = MappingSection.OutputRules(section, report);
        var when = ConditionSection.Read(section, "when", report);
        var operations = ReadOperations(section, report);
        section.Close();
        var (mapping, findings) = OutputMapping.Compile(rules, table);
        foreach (var finding in findings)
        {
            report.Add(finding);
        }

        return (mapping is null || report.HasErrors ? null : new MappingDocument(text, mapping, when, operations), report.Findings);
    }

    /// <summary>Whether a change is carried.</summary>
    public bool Carries(ChangeOperation operation, System.Text.Json.JsonElement row) =>
        Operations.Contains(operation == ChangeOperation.Read ? ChangeOperation.Create : operation)
        && (When is null || When.Holds(row));

    private static HashSet<ChangeOperation> ReadOperations(Section section, ConfigReport report)
    {
        if (section.List("operations") is not { } list)
        {
            return [ChangeOperation.Create, ChangeOperation.Update, ChangeOperation.Delete];
        }

        var operations = new HashSet<ChangeOperation>();
        foreach (var item in list.Items)
        {
            ChangeOperation? operation = (item as ScalarNode)?.Text.ToUpperInvariant() switch
            {
                "INSERT" or "CREATE" => ChangeOperation.Create,
                "UPDATE" => ChangeOperation.Update,
                "DELETE" => ChangeOperation.Delete,
                _ => null,
            };
            if (operation is { } known)
            {
                operations.Add(known);
            }
            else
            {
                report.Error("config.bad_value", item, "operations are insert, update and delete.", "Write operations: [ insert, update ].");
            }
        }

        return operations;
    }
}
