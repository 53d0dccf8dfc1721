using System.CommandLine;
using System.Globalization;
using Duplex.Cli.Views;
using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Reconcile;
using Duplex.Server;
using Duplex.Server.Api;
using Microsoft.Extensions.Logging;
using Spectre.Console;
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
        new Command("plan", "Count what a sync would link, create, update and delete. Writes nothing.") { Sync }, terminal, RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var plan = await WithProgressAsync(session, report => PlanAsync(session, report, cancellationToken)).ConfigureAwait(false);
        session.Print(plan, console => PlanView.Write(console, plan));
        return plan.Findings.Any(static f => f.Severity == "error") ? ExitCode.Failed : ExitCode.Done;
    }

    private static async Task<PlanDocument> PlanAsync(
        Session session, Action<ProgressDocument> report, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        try
        {
            var (tenant, name) = await Session.FindSyncAsync(client, session.Get(Sync), cancellationToken).ConfigureAwait(false);
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

            throw new DuplexUnreachableException(client.Address, new IOException("The connection ended before the plan came."));
        }
        catch (DuplexUnreachableException) when (File.Exists(session.ConfigPath) && !Directed(session))
        {
            return await HereAsync(session, report, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether a server was named, so that another configuration than its own would be the wrong one.</summary>
    private static bool Directed(Session session) =>
        session.Get(GlobalOptions.Url) is not null || Environment.GetEnvironmentVariable("DUPLEX_URL") is not null;

    private static async Task<PlanDocument> HereAsync(
        Session session, Action<ProgressDocument> report, CancellationToken cancellationToken)
    {
        var (model, _, warnings) = ConfigFile.Require(session.ConfigPath);
        FailureView.WriteFindings(session.Terminal.Errors, warnings);
        var (tenant, name) = Session.Find(
            [.. model.Syncs.Values.Select(static s => (s.Tenant, s.Name))], session.Get(Sync), "sync");
        using var loggers = RunVerb.Loggers(LogLevel.Warning, session.Json);
        await using var stores = await EmbeddedStores.OpenAsync(model, TimeProvider.System, loggers, cancellationToken)
            .ConfigureAwait(false);
        await using var engine = new SyncEngine(stores.Parts(model, TimeProvider.System, loggers));
        var plan = await engine.PlanAsync($"{tenant}/{name}", new Relay(report), cancellationToken).ConfigureAwait(false);
        return Documents.Of(plan!);
    }

    private static async Task<PlanDocument> WithProgressAsync(
        Session session, Func<Action<ProgressDocument>, Task<PlanDocument>> work)
    {
        if (!session.Terminal.Screen || session.Json)
        {
            return await work(static _ => { }).ConfigureAwait(false);
        }

        return await session.Terminal.Errors.Progress().AutoClear(true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ProgressBarColumn(), new RemainingTimeColumn())
            .StartAsync(async bar =>
            {
                var task = bar.AddTask("reading both sides", maxValue: 1);
                task.IsIndeterminate = true;
                return await work(progress => Show(task, progress)).ConfigureAwait(false);
            }).ConfigureAwait(false);
    }

    private static void Show(ProgressTask task, ProgressDocument progress)
    {
        var rate = task.Speed is { } speed ? $", {speed.ToString("N0", CultureInfo.InvariantCulture)}/s" : "";
        task.Description = Markup.Escape(
            $"{progress.Doing} ({progress.Done.ToString("N0", CultureInfo.InvariantCulture)}{rate})");
        task.IsIndeterminate = progress.Expected <= 0;
        task.MaxValue = Math.Max(1, progress.Expected);
        task.Value = progress.Done;
    }

    private sealed class Relay(Action<ProgressDocument> report) : IProgress<Progress>
    {
        public void Report(Progress value) => report(new ProgressDocument(value.Done, value.Expected, value.Doing));
    }
}
