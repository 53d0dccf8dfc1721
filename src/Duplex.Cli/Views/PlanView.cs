using System.Globalization;
using Duplex.Cli.Verbs;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Views;

/// <summary>A plan as a table of counts, with examples.</summary>
internal static class PlanView
{
    private const int SamplesMax = 20;

    /// <summary>Writes a plan; <paramref name="locate"/> tells a finding's place in the file.</summary>
    public static void Write(IAnsiConsole console, PlanDocument plan, Func<string?, string?> locate)
    {
        var failed = plan.Findings.Any(static f => f.Severity == "error");
        var uncounted = failed && plan.Records is { A: 0, B: 0 };
        if (!uncounted)
        {
            WriteCounts(console, plan);
        }

        FailureView.WriteFindings(console, [.. plan.Findings.Select(f =>
            new FindingLine(f.Severity, f.Code, f.Path, locate(f.Path), f.Message, f.Fix))]);
        console.Write(new Markup(Markup.Escape(plan switch
        {
            _ when uncounted => $"{plan.Sync} cannot be planned before its errors are corrected. Nothing was written.\n",
            { HasChanges: true } => CommandName.In("Nothing was written. duplex run does it.\n"),
            _ when PlanVerb.Left(plan) > 0 => "Nothing to do but what waits for a person, as counted above.\n",
            _ when failed => "Nothing was written.\n",
            _ => "Both sides agree: nothing to do.\n",
        })));
    }

    private static void WriteCounts(IAnsiConsole console, PlanDocument plan)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns(Markup.Escape(plan.Sync), "a", "b");
        table.Columns[1].RightAligned();
        table.Columns[2].RightAligned();
        Row(table, "records", plan.Records);
        Row(table, "left out by rules", plan.Skipped);
        Row(table, "create", plan.Create);
        Row(table, "update", plan.Update);
        Row(table, "delete", plan.Delete);
        console.Write(table);
        console.Write(new Markup(
            $"linked already {Number(plan.Linked)}, to be linked {Number(plan.Link)} ({Number(plan.LinkEqual)} of them equal), "
            + $"conflicts {Number(plan.Conflicts)}, ambiguous {Number(plan.Ambiguous)}, rejected {Number(plan.Rejected)}\n"));
        if (plan.Samples.Count > 0)
        {
            console.Write(Samples(plan.Samples));
        }
    }

    private static Table Samples(IReadOnlyList<PlanSampleDocument> samples)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("example", "a", "b", "fields", "why");
        foreach (var s in samples.Take(SamplesMax))
        {
            table.AddRow(
                s.Kind, Markup.Escape(s.A ?? ""), Markup.Escape(s.B ?? ""), Markup.Escape(string.Join(", ", s.Fields)),
                Markup.Escape(s.Reason ?? ""));
        }

        return table;
    }

    private static void Row(Table table, string what, SidesDocument count) =>
        table.AddRow(what, Number(count.A), Number(count.B));

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
