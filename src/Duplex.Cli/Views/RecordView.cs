using System.Globalization;
using System.Text.Json;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Views;

/// <summary>Both sides of a record, dead letters and conflicts.</summary>
internal static class RecordView
{
    private const int TextMax = 120;

    public static void Write(IAnsiConsole console, RecordDocument record)
    {
        var pair = record.Link is { } link ? $"a {link.A ?? "-"}, b {link.B ?? "-"}, {link.State}" : "not linked";
        var equal = record.Equal switch { true => "[green]equal[/]", false => "[yellow]different[/]", null =>
            "[red]not compared[/]" };
        console.Write(new Markup($"{Markup.Escape($"{record.Sync}: {pair}")}, {equal}\n"));
        if (record.Fields.Count > 0)
        {
            var table = new Table().Border(TableBorder.Simple).AddColumns("field", "a", "b", "");
            foreach (var f in record.Fields)
            {
                table.AddRow(Markup.Escape(f.Rule), Text(f.A), Text(f.B), f.Equal ? "" : "[yellow]≠[/]");
            }

            console.Write(table);
        }

        Error(console, "side a", record.ErrorA);
        Error(console, "side b", record.ErrorB);
        if (record.Pending is { } pending)
        {
            console.Write(new Markup(
                $"[yellow]pending[/] from {pending.From}, tried {pending.Attempts} times, next at {Time(pending.DueAt)}\n"));
            Error(console, "pending", pending.Error);
        }

        if (record.DeadLetter is { } letter)
        {
            Error(console, $"dead letter {letter.Id}", letter.Error);
        }

        var timeline = new Table().Border(TableBorder.Simple).AddColumns("time", "what", "side", "detail");
        foreach (var line in record.Timeline)
        {
            timeline.AddRow(Time(line.At), line.Kind, line.Side, Markup.Escape(TimelineLine.Of(line.Detail)));
        }

        console.Write(timeline);
    }

    public static void Write(IAnsiConsole console, Page<DeadLetterDocument> letters)
    {
        if (letters.Items.Count == 0)
        {
            console.Write(new Markup("No dead letters.\n"));
            return;
        }

        var table = new Table().Border(TableBorder.Simple)
            .AddColumns("id", "sync", "from", "key", "tries", "since", "cause");
        foreach (var l in letters.Items)
        {
            table.AddRow(
                l.Id.ToString(CultureInfo.InvariantCulture), Markup.Escape(l.Sync), l.From, Markup.Escape(l.Key),
                l.Attempts.ToString(CultureInfo.InvariantCulture), Time(l.At),
                Markup.Escape($"{l.Error.Message} [{l.Error.Code}]"));
        }

        console.Write(table);
        console.Write(new Text(CommandName.In(letters.Next is { } next
            ? $"More: duplex dlq list --before {next}\n"
            : "duplex dlq show <id> shows one, duplex dlq replay <id> tries it again.\n")));
    }

    public static void Write(IAnsiConsole console, DeadLetterDocument letter)
    {
        console.Write(new Markup(Markup.Escape(
            $"{letter.Id}: {letter.Sync} from {letter.From}, record {letter.Key}, tried {letter.Attempts} times, since {Time(letter.At)}") + "\n"));
        Error(console, "cause", letter.Error);
        if (letter.Error.Detail is { } detail)
        {
            console.Write(new Markup($"  [grey]said[/] {Markup.Escape(detail)}\n"));
        }

        if (letter.Change is { } change)
        {
            console.Write(new Text(JsonSerializer.Serialize(change, DuplexJson.Indented) + "\n"));
        }
    }

    public static void Write(IAnsiConsole console, Page<ConflictDocument> conflicts, bool waiting)
    {
        if (conflicts.Items.Count == 0)
        {
            console.Write(new Markup("No conflicts.\n"));
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns(
            "id", "sync", "a", "b", "field", "before", "value of a", "value of b", "stands", "policy", "time");
        foreach (var c in conflicts.Items)
        {
            table.AddRow(
                c.Id.ToString(CultureInfo.InvariantCulture), Markup.Escape(c.Sync), Markup.Escape(c.A ?? ""),
                Markup.Escape(c.B ?? ""), Markup.Escape(c.Rule), Text(c.Base), Text(c.ValueA), Text(c.ValueB),
                c.Winner ?? "[yellow]waits[/]", c.Policy, Time(c.At));
        }

        console.Write(table);
        if (conflicts.Items.Any(static c => c.Winner is null))
        {
            console.Write(new Markup("duplex conflicts resolve <id> a|b decides one, --value gives both another value.\n"));
        }

        if (conflicts.Next is { } next)
        {
            var only = waiting ? "--waiting " : "";
            console.Write(new Text(CommandName.In($"More: duplex conflicts list {only}--before {next}\n")));
        }
    }

    private static void Error(IAnsiConsole console, string what, ErrorDocument? error)
    {
        if (error is null)
        {
            return;
        }

        FailureView.Line(console,
            $"[red]{Markup.Escape(what)}[/] {Markup.Escape(error.Message)} {FailureView.Code(error.Code)}");
        FailureView.Fix(console, error.Fix);
    }

    private static string Text(JsonElement? value)
    {
        var text = value switch
        {
            null => "",
            { ValueKind: JsonValueKind.String } s => s.GetString()!,
            { } other => other.GetRawText(),
        };
        return Markup.Escape(text.Length > TextMax ? text[..TextMax] + "…" : text);
    }

    private static string Time(DateTimeOffset at) =>
        at.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
}
