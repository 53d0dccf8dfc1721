using Spectre.Console;

namespace Duplex.Cli.Views;

/// <summary>Failures and findings, for people.</summary>
internal static class FailureView
{
    private const int WidthUnbroken = 1 << 16;

    public static void Write(IAnsiConsole console, FailureDocument failure)
    {
        Line(console, $"[red]error[/] {Markup.Escape(CommandName.In(failure.Message))} {Code(failure.Code)}");
        Fix(console, failure.Fix);
        WriteFindings(console, failure.Findings ?? []);
    }

    public static void WriteFindings(IAnsiConsole console, IReadOnlyList<FindingLine> findings)
    {
        foreach (var finding in findings)
        {
            var colour = finding.Severity switch { "error" => "red", "warning" => "yellow", _ => "grey" };
            var place = finding.Location ?? finding.Path;
            Line(console,
                $"[{colour}]{finding.Severity}[/] {(place is null ? "" : Markup.Escape(place) + " ")}"
                + $"{Markup.Escape(CommandName.In(finding.Message))} {Code(finding.Code)}");
            Fix(console, finding.Fix);
        }
    }

    /// <summary>What to do, below what it is about.</summary>
    public static void Fix(IAnsiConsole console, string? fix)
    {
        if (fix is not null)
        {
            Line(console, $"  [grey]fix[/] {Markup.Escape(CommandName.In(fix))}");
        }
    }

    /// <summary>A line of its own, which only the screen itself breaks: a fix may be a statement that somebody copies, and
    /// a break within it would be copied too.</summary>
    public static void Line(IAnsiConsole console, string markup)
    {
        var width = console.Profile.Width;
        console.Profile.Width = WidthUnbroken;
        console.Write(new Markup($"{markup}\n"));
        console.Profile.Width = width;
    }

    public static string Code(string code) => $"[grey]{Markup.Escape($"[{code}]")}[/]";
}
