using System.CommandLine;
using System.Globalization;
using Duplex.Cli.Views;
using Duplex.Client;
using Duplex.Engine.Config;
using Duplex.Server;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Checks this machine and every connection, and says what to change. Changes nothing at the other
/// side.</summary>
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
        // Without a data directory nothing else can be asked; the finding about it says what to do first.
        var (connections, syncs) = here.Any(static f => f.Severity == "error")
            ? ([], [])
            : await CheckAsync(session, model, cancellationToken).ConfigureAwait(false);
        var ok = connections.All(static c => c.Ok) && syncs.All(static s => s.Ok)
            && here.All(static f => f.Severity != "error");
        var document = new HealthDocument(ok, [.. warnings, .. here], connections, syncs);
        var places = ConfigFile.Read(session.ConfigPath);
        session.Print(document, console => Write(console, document, places));
        return document.Ok ? ExitCode.Done : ExitCode.Findings;
    }

    /// <summary>The running server makes the checks, for it alone may open its stores and knows its installation; else
    /// this process.</summary>
    private static async Task<(IReadOnlyList<CheckDocument>, IReadOnlyList<SyncCheckDocument>)> CheckAsync(
        Session session, EngineModel model, CancellationToken cancellationToken)
    {
        using var loggers = RunVerb.Loggers(LogLevel.Warning, session.Json);
        await using var stores = session.MustAskServer
            ? null
            : await LocalStores.TryOpenAsync(model, loggers, cancellationToken).ConfigureAwait(false);
        using var client = session.Connect();
        var parts = stores?.Parts(model, TimeProvider.System, loggers);
        var connections = model.Connections.Values.Select(c => parts is null
            ? client.CheckAsync(c.Tenant, c.Name, cancellationToken)
            : ConnectionCheck.RunAsync(c, parts, cancellationToken));
        var checks = await Task.WhenAll(connections).ConfigureAwait(false);
        // Where a system cannot be used, its fields cannot be told either.
        var usable = checks.Where(static c => c.Ok).Select(static c => c.Name).ToHashSet(StringComparer.Ordinal);
        var syncs = model.Syncs.Values
            .Where(s => usable.Contains(s.A.Connection.Name) && usable.Contains(s.B.Connection.Name))
            .Select(s => parts is null
                ? client.CheckSyncAsync(s.Tenant, s.Name, cancellationToken)
                : ConnectionCheck.RunAsync(s, parts, cancellationToken));
        return (checks, await Task.WhenAll(syncs).ConfigureAwait(false));
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
                $"The data directory {model.DataDirectory} cannot be written: {e.Message}",
                    "Name another one with data:, or grant access to it."));
        }

        return findings;
    }

    private static void Write(IAnsiConsole console, HealthDocument health, ConfigResult places)
    {
        FailureView.WriteFindings(console, health.Findings);
        foreach (var check in health.Connections)
        {
            WriteCheck(console, $"{check.Tenant}/{check.Name} ({check.Connector})", check.Ok, check.Findings, places);
        }

        foreach (var check in health.Syncs)
        {
            WriteCheck(console, $"{check.Tenant}/{check.Name} (mapping)", check.Ok, check.Findings, places);
        }
    }

    private static void WriteCheck(
        IAnsiConsole console, string what, bool ok, IReadOnlyList<FindingDocument> findings, ConfigResult places)
    {
        console.Write(new Markup($"{Markup.Escape(what)}: {(ok ? "[green]works[/]" : "[red]fails[/]")}\n"));
        FailureView.WriteFindings(console, [.. findings.Select(f =>
            new FindingLine(f.Severity, f.Code, f.Path, places.Locate(f.Path), f.Message, f.Fix))]);
    }

    private sealed record HealthDocument(
        bool Ok,
        IReadOnlyList<FindingLine> Findings,
        IReadOnlyList<CheckDocument> Connections,
        IReadOnlyList<SyncCheckDocument> Syncs);
}
