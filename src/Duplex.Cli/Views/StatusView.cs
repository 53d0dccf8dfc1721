using System.Globalization;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Views;

/// <summary>The state of everything, as tables and the errors below them.</summary>
internal static class StatusView
{
    public static void Write(IAnsiConsole console, StatusDocument status)
    {
        var paused = status.Syncs.Where(static s => s.State == "paused").Select(static s => $"{s.Tenant}/{s.Name}").ToList();
        console.Write(new Markup(status.Ready
            ? $"[green]ready[/]: data moves{(paused.Count == 0 ? "" : $", except what is paused: {string.Join(", ", paused)}")}\n"
            : $"[yellow]not ready[/]: {Markup.Escape(string.Join("\n  ", status.NotReadyBecause))}\n"));
        if (status.Storage is { } storage)
        {
            WriteError(console, "storage", storage);
        }

        if (status.Connections.Count > 0 || status.Syncs.Count > 0)
        {
            console.Write(Connections(status));
            console.Write(Syncs(status));
        }

        if (status.Ingest is { } ingest)
        {
            console.Write(new Markup($"posted events: {Number(ingest.Taken)} taken, {Number(ingest.Repeated)} repeated, "
                + $"{Number(ingest.Refused)} refused; {ingest.Tables} tables\n"));
        }

        if (status.Customers.Count > 0)
        {
            console.Write(Customers(status));
        }

        foreach (var connection in status.Connections)
        {
            WriteError(console, $"{connection.Tenant}/{connection.Name}", connection.Error);
            if (connection.Source?.Warning is { } warning)
            {
                console.Write(new Markup(
                    $"[yellow]warning[/] {Markup.Escape($"{connection.Tenant}/{connection.Name}")}: {Markup.Escape(warning)}\n"));
            }
        }

        foreach (var customer in status.Customers)
        {
            WriteError(console, $"{customer.Tenant}/{customer.Name}", customer.Progress.Error);
            WriteError(console, $"{customer.Tenant}/{customer.Name} push", customer.Progress.Push?.Error);
        }

        foreach (var (sync, leg) in status.Syncs.SelectMany(static s => s.Legs.Select(l => (s, l))))
        {
            WriteError(console, $"{sync.Tenant}/{sync.Name} from {leg.From}", leg.Error);
        }
    }

    public static string Coloured(string state) => state switch
    {
        "running" => "[green]running[/]",
        "blocked" or "stopped" or "disabled" => $"[red]{state}[/]",
        "retrying" or "paused" or "failing" or "held" => $"[yellow]{state}[/]",
        _ => state,
    };

    private static Table Connections(StatusDocument status)
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumns("connection", "connector", "state", "phase", "snapshot", "position", "appended");
        table.Columns[^1].RightAligned();
        foreach (var c in status.Connections)
        {
            table.AddRow(
                Markup.Escape($"{c.Tenant}/{c.Name}"), c.Connector, Coloured(c.State), c.Source?.Phase
                    ?? "", Snapshot(c.Source),
                Markup.Escape(c.Position ?? ""), Number(c.AppendedTotal));
        }

        return table;
    }

    private static Table Syncs(StatusDocument status)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns(
            "sync", "leg", "state", "links", "behind", "pending", "dead", "written", "agreed", "echoes", "conflicts");
        foreach (var column in table.Columns.Skip(3))
        {
            column.RightAligned();
        }

        foreach (var s in status.Syncs)
        {
            var first = true;
            foreach (var leg in s.Legs)
            {
                var from = leg.From == "a" ? s.A : s.B;
                var to = leg.From == "a" ? s.B : s.A;
                table.AddRow(
                    first ? Markup.Escape($"{s.Tenant}/{s.Name}") : "", Markup.Escape($"{from} → {to}"),
                        Coloured(leg.State),
                    first ? Number(s.Links) : "", Number(leg.Behind), Number(leg.Pending), Number(leg.DeadLetters),
                    Number(leg.Written), Number(leg.Agreed), Number(leg.Echoes), first
                        ? Number(s.ConflictsWaiting) : "");
                first = false;
            }
        }

        return table;
    }

    private static Table Customers(StatusDocument status)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns(
            "customer", "state", "behind", "dead", "last record", "push", "pushed to", "waiting");
        foreach (var customer in status.Customers)
        {
            var push = customer.Progress.Push;
            table.AddRow(
                Markup.Escape($"{customer.Tenant}/{customer.Name}"), Coloured(customer.Progress.State), Number(customer.Progress.Behind),
                Number(customer.Progress.DeadLetters), Number(customer.Progress.LastOffset), Coloured(push?.State ?? ""),
                push is null ? "" : Number(push.Position), push is null ? "" : Number(push.Waiting));
        }

        foreach (var column in new[] { 2, 3, 4, 6, 7 })
        {
            table.Columns[column].RightAligned();
        }

        return table;
    }

    private static string Snapshot(SourceDocument? source) => source is null or { SnapshotRows: 0 }
        ? ""
        : source.SnapshotRowsExpected > 0 && source.Phase == "snapshot"
            ? $"{Number(source.SnapshotRows)} of {Number(source.SnapshotRowsExpected)}"
            : Number(source.SnapshotRows);

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static void WriteError(IAnsiConsole console, string what, ErrorDocument? error)
    {
        if (error is null)
        {
            return;
        }

        FailureView.Line(console,
            $"[red]error[/] {Markup.Escape(what)}: {Markup.Escape(error.Message)} {FailureView.Code(error.Code)}");
        FailureView.Fix(console, error.Fix);
    }
}
