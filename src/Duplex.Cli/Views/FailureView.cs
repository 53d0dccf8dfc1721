using Spectre.Console;

namespace Duplex.Cli.Views;

/// <summary>Failures and findings, for people.</summary>
internal static class FailureView
{
    public static void Write(IAnsiConsole console, FailureDocument failure)
    {
        console.Write(new Markup($"[red]error[/] {Markup.Escape(failure.Message)} [grey]{Markup.Escape($"[{failure.Code}]")}[/]\n"));
        if (failure.Fix is not null)
        {
            console.Write(new Markup($"  [grey]fix[/] {Markup.Escape(failure.Fix)}\n"));
        }

        WriteFindings(console, failure.Findings ?? []);
    }

    public static void WriteFindings(IAnsiConsole console, IReadOnlyList<FindingLine> findings)
    {
        foreach (var finding in findings)
        {
            var colour = finding.Severity switch { "error" => "red", "warning" => "yellow", _ => "grey" };
            var place = finding.Location ?? finding.Path;
            console.Write(new Markup(
                $"[{colour}]{finding.Severity}[/] {(place is null ? "" : Markup.Escape(place) + " ")}"
                + $"{Markup.Escape(finding.Message)} [grey]{Markup.Escape($"[{finding.Code}]")}[/]\n"));
            if (finding.Fix is not null)
            {
                console.Write(new Markup($"  [grey]fix[/] {Markup.Escape(finding.Fix)}\n"));
            }
        }
    }
}
