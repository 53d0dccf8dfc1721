using System.CommandLine;
using System.Globalization;
using Duplex.Cli.Views;
using Duplex.Client;
using Duplex.Engine.Config;
using Duplex.Server;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Checks this machine and every connection, and says what to change. Changes nothing at the other side.</summary>
internal static class DoctorVerb
{
    private const long FreeBytesMin = 1L << 30;

    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("doctor", "Check the configuration, this machine and every connection, each finding with its fix."),
        terminal, RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var (model, _, warnings) = ConfigFile.Require(session.ConfigPath);
        var here = Machine(model);
        using var client = session.Connect();
        var checks = await ByServerAsync(client, model, cancellationToken).ConfigureAwait(false)
            ?? await HereAsync(session, model, cancellationToken).ConfigureAwait(false);
        var document = new HealthDocument(
            checks.All(static c => c.Ok) && here.All(static f => f.Severity != "error"), [.. warnings, .. here], checks);
        var places = ConfigFile.Read(session.ConfigPath);
        session.Print(document, console => Write(console, document, places));
        return document.Ok ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>The checks as the running server makes them: it alone knows its installation. Null where none of this configuration runs.</summary>
    private static async Task<IReadOnlyList<CheckDocument>?> ByServerAsync(
        DuplexClient client, EngineModel model, CancellationToken cancellationToken)
    {
        try
        {
            var running = await client.ConnectionsAsync(cancellationToken).ConfigureAwait(false);
            if (model.Connections.Values.Any(c => !running.Items.Any(r => r.Tenant == c.Tenant && r.Name == c.Name)))
            {
                return null;
            }

            var checks = new List<CheckDocument>();
            foreach (var connection in model.Connections.Values)
            {
                checks.Add(await client.CheckAsync(connection.Tenant, connection.Name, cancellationToken).ConfigureAwait(false));
            }

            return checks;
        }
        catch (DuplexUnreachableException)
        {
            return null;
        }
    }

    private static async Task<IReadOnlyList<CheckDocument>> HereAsync(
        Session session, EngineModel model, CancellationToken cancellationToken)
    {
        using var loggers = RunVerb.Loggers(LogLevel.Warning, session.Json);
        await using var stores = await EmbeddedStores.OpenAsync(model, TimeProvider.System, loggers, cancellationToken)
            .ConfigureAwait(false);
        var parts = stores.Parts(model, TimeProvider.System, loggers);
        return await Task.WhenAll(model.Connections.Values.Select(c =>
            ConnectionCheck.RunAsync(c, parts, stores.State.Installation, cancellationToken))).ConfigureAwait(false);
    }

    private static List<FindingLine> Machine(EngineModel model)
    {
        var findings = new List<FindingLine>();
        try
        {
            Directory.CreateDirectory(model.DataDirectory);
            var probe = Path.Combine(model.DataDirectory, $".probe-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            var free = new DriveInfo(model.DataDirectory).AvailableFreeSpace;
            if (free < FreeBytesMin)
            {
                findings.Add(new FindingLine("warning", "machine.disk", "/data", null,
                    $"{model.DataDirectory} has {(free >> 20).ToString("N0", CultureInfo.InvariantCulture)} MB left; when it is full, sources are held back.",
                    "Make room, or name another directory with data:."));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            findings.Add(new FindingLine("error", "machine.data_directory", "/data", null,
                $"The data directory {model.DataDirectory} cannot be written: {e.Message}", "Name another one with data:, or grant access to it."));
        }

        return findings;
    }

    private static void Write(IAnsiConsole console, HealthDocument health, ConfigResult places)
    {
        FailureView.WriteFindings(console, health.Findings);
        foreach (var check in health.Connections)
        {
            var verdict = check.Ok ? "[green]works[/]" : "[red]fails[/]";
            console.Write(new Markup($"{Markup.Escape($"{check.Tenant}/{check.Name}")} ({check.Connector}): {verdict}\n"));
            FailureView.WriteFindings(console, [.. check.Findings.Select(f =>
                new FindingLine(f.Severity, f.Code, f.Path, places.Locate(f.Path), f.Message, f.Fix))]);
        }
    }

    private sealed record HealthDocument(
        bool Ok, IReadOnlyList<FindingLine> Findings, IReadOnlyList<CheckDocument> Connections);
}
