using System.CommandLine;
using Duplex.Cli.Views;
using Duplex.Client;
using Duplex.Engine;
using Duplex.Server.Api;
using Microsoft.Extensions.Logging;
using Progress = Duplex.Engine.Reconcile.Progress;

namespace Duplex.Cli.Verbs;

/// <summary>Counts what a sync would do: by the running server, or in this process where none runs.</summary>
internal static class PlanVerb
{
    private static readonly Argument<string?> Sync = new("sync")
    {
        Description = "The sync: name, or tenant/name. Not needed where there is only one.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("plan", "Count what a sync would link, create, update and delete; exit 2 if it would. Writes nothing.") { Sync },
            terminal, RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var plan = await ProgressView.RunAsync(session, "reading both sides", report => PlanAsync(session, report, cancellationToken))
            .ConfigureAwait(false);
        var places = session.MustAskServer ? null : ConfigFile.Read(session.ConfigPath);
        session.Print(plan, console => PlanView.Write(console, plan, path => places?.Locate(path)));
        return plan.HasChanges || Left(plan) > 0 || plan.Findings.Any(static f => f.Severity == "error")
            ? ExitCode.Findings
            : ExitCode.Done;
    }

    /// <summary>Records that differ and that a sync would leave so.</summary>
    internal static long Left(PlanDocument plan) => plan.Conflicts + plan.Ambiguous + plan.Rejected;

    private static async Task<PlanDocument> PlanAsync(
        Session session, Action<ProgressDocument> report, CancellationToken cancellationToken)
    {
        if (!session.MustAskServer)
        {
            var (model, _, warnings) = ConfigFile.Require(session.ConfigPath);
            using var loggers = RunVerb.Loggers(LogLevel.Warning, session.Json);
            await using var stores =
                await LocalStores.TryOpenAsync(model, loggers, cancellationToken).ConfigureAwait(false);
            if (stores is not null)
            {
                FailureView.WriteFindings(session.Terminal.Errors,
                    [.. warnings.Where(static w => w.Severity != "note")]);
                await using var engine = new SyncEngine(stores.Parts(model, TimeProvider.System, loggers));
                return await HereAsync(session, engine, report, cancellationToken).ConfigureAwait(false);
            }
        }

        using var client = session.Connect();
        return await ByServerAsync(session, client, report, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<PlanDocument> ByServerAsync(
        Session session, DuplexClient client, Action<ProgressDocument> report, CancellationToken cancellationToken)
    {
        var (tenant, name) =
            await Session.FindSyncAsync(client, session.Get(Sync), cancellationToken).ConfigureAwait(false);
        await foreach (var line in client.PlanAsync(tenant, name, cancellationToken).ConfigureAwait(false))
        {
            if (line.Progress is { } progress)
            {
                report(progress);
            }
            else if (line.Plan is { } plan)
            {
                return plan;
            }
        }

        throw new DuplexUnreachableException(client.Address,
            new IOException("The connection ended before the plan came."));
    }

    private static async Task<PlanDocument> HereAsync(
        Session session, SyncEngine engine, Action<ProgressDocument> report, CancellationToken cancellationToken)
    {
        var (tenant, name) = Session.Find(
            [.. engine.Parts.Model.Syncs.Values.Select(static s => (s.Tenant, s.Name))], session.Get(Sync), "sync");
        var plan = await engine.PlanAsync($"{tenant}/{name}", new Relay(report), cancellationToken)
            .ConfigureAwait(false);
        return Documents.Of(plan!);
    }

    private sealed class Relay(Action<ProgressDocument> report) : IProgress<Progress>
    {
        public void Report(Progress value) => report(new ProgressDocument(value.Done, value.Expected, value.Doing));
    }
}
