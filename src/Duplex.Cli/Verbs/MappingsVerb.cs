using System.CommandLine;
using System.Text.Json;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Mappings of customers: put, try, plan, activate.</summary>
internal static class MappingsVerb
{
    private static readonly Argument<string> Customer = new("customer") { Description = "The customer." };

    private static readonly Argument<string> TableName = new("table") { Description = "The table." };

    private static readonly Argument<string> File = new("file") { Description = "The mapping, YAML or JSON." };

    private static readonly Argument<int> Version = new("version") { Description = "The version; 0 is the file's." };

    private static readonly Option<bool> Activate = new("--activate") { Description = "Take it into use at once." };

    private static readonly Option<string?> Mapping = new("--mapping")
    {
        Description = "A mapping to try. Default: the active one.",
    };

    private static readonly Option<int?> Candidate = new("--version") { Description = "A version to try." };

    private static readonly Argument<string> Events = new("events")
    {
        Description = "A file with events as they are posted: a JSON array, or one per line.",
    };

    private static readonly Option<int> Changes = new("--changes")
    {
        Description = "How many of the last changes to look at.",
        DefaultValueFactory = static _ => 1_000,
    };

    public static Command Make(Terminal terminal) => new("mappings", "Mappings of customers, as versions.")
    {
        Session.Attach(new Command("list", "A customer's tables with the versions that are in use.") { Customer },
            terminal, ListAsync),
        Session.Attach(new Command("put", "Store a mapping as a version.") { Customer, TableName, File, Activate },
            terminal, PutAsync),
        Session.Attach(new Command("preview", "What a mapping makes of posted events. Changes nothing.")
        {
            Customer, TableName, Events, Mapping, Candidate,
        }, terminal, PreviewAsync),
        Session.Attach(new Command("plan", "How a version differs from the active one over the last changes.")
        {
            Customer, TableName, Version, Changes,
        }, terminal, PlanAsync),
        Session.Attach(new Command("activate", "Take a version into use.") { Customer, TableName, Version },
            terminal, ActivateAsync),
    };

    /// <summary>Tables with the versions that are in use.</summary>
    public static void Write(IAnsiConsole console, IReadOnlyList<CustomerTableDocument> tables)
    {
        var table = new Table().AddColumns("table", "state", "mapping", "schema");
        foreach (var row in tables)
        {
            table.AddRow(Markup.Escape(row.Table), row.State, RegistryFile.Word(row.Mapping), RegistryFile.Word(row.Schema));
        }

        console.Write(table);
    }

    private static async Task<int> ListAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var tables = await client.MappingsAsync(session.Get(Customer)!, cancellationToken).ConfigureAwait(false);
        session.Print(tables, console => Write(console, tables.Items));
        return ExitCode.Done;
    }

    private static async Task<int> PutAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var text = await RegistryFile.ReadAsync(session.Get(File)!, cancellationToken).ConfigureAwait(false);
        return Print(session, await client.PutMappingAsync(session.Get(Customer)!, session.Get(TableName)!, text,
            session.Get(Activate), cancellationToken).ConfigureAwait(false));
    }

    private static async Task<int> ActivateAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        return Print(session, await client.ActivateMappingAsync(session.Get(Customer)!, session.Get(TableName)!,
            session.Get(Version), cancellationToken).ConfigureAwait(false));
    }

    private static async Task<int> PreviewAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var events = Read(await RegistryFile.ReadAsync(session.Get(Events)!, cancellationToken).ConfigureAwait(false));
        JsonElement? document = session.Get(Mapping) is { } path
            ? JsonSerializer.SerializeToElement(await RegistryFile.ReadAsync(path, cancellationToken).ConfigureAwait(false)) : null;
        var outcomes = await client.PreviewMappingAsync(session.Get(Customer)!, session.Get(TableName)!,
            new PreviewRequest(document, session.Get(Candidate), events), cancellationToken).ConfigureAwait(false);
        session.Print(outcomes, console =>
        {
            foreach (var outcome in outcomes.Items)
            {
                console.Write(new Markup(Markup.Escape(Word(outcome) + "\n")));
            }
        });
        return outcomes.Items.Any(static o => o.Error is not null) ? ExitCode.Findings : ExitCode.Done;
    }

    private static async Task<int> PlanAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var plan = await client.PlanMappingAsync(session.Get(Customer)!, session.Get(TableName)!,
            new MappingPlanRequest(session.Get(Version), session.Get(Changes)), cancellationToken).ConfigureAwait(false);
        session.Print(plan, console =>
        {
            console.Write(new Markup(Markup.Escape(
                $"{plan.Changes} changes: {plan.Same} same, {plan.Changed} changed, {plan.NowFailing} now failing, "
                + $"{plan.NowPassing} now passing, {plan.NowLeftOut} now left out, {plan.NowCarried} now carried\n")));
            foreach (var sample in plan.Samples)
            {
                console.Write(new Markup(Markup.Escape(
                    $"{sample.Kind} {sample.Key}: {Word(sample.Active)} -> {Word(sample.Candidate)}\n")));
            }
        });
        return plan.Same == plan.Changes ? ExitCode.Done : ExitCode.Findings;
    }

    private static int Print(Session session, PutDocument put)
    {
        session.Print(put, console => console.Write(new Markup(Markup.Escape(
            RegistryFile.Word(put, $"{session.Get(Customer)} {session.Get(TableName)}")))));
        return ExitCode.Done;
    }

    private static string Word(TrialDocument trial) => trial switch
    {
        { Output: { } output } => output.GetRawText(),
        { Error: { } error } => $"error: {error.Message}",
        _ => "left out",
    };

    private static IReadOnlyList<JsonElement> Read(string text)
    {
        try
        {
            return text.AsSpan().TrimStart() is ['[', ..]
                ? [.. JsonElement.Parse(text).EnumerateArray()]
                : [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                    .Select(static line => JsonElement.Parse(line))];
        }
        catch (JsonException e)
        {
            throw new CommandFailure(ExitCode.Usage, new FailureDocument(
                "command.usage", $"The events are not JSON: {e.Message}", "events", "Give a JSON array, or one event per line."));
        }
    }
}
