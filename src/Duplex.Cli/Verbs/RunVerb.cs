using System.CommandLine;
using Duplex.Cli.Views;
using Duplex.Engine.Config;
using Duplex.Sdk;
using Duplex.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Runs the server until it is told to stop.</summary>
internal static class RunVerb
{
    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("run", "Run the server: sync, API and webhooks, until SIGTERM or Ctrl-C."), terminal, RunAsync);

    /// <summary>Loggers that write to the error stream, so that the output holds results only.</summary>
    public static ILoggerFactory Loggers(LogLevel level, bool json) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(level).AddFilter("Microsoft", LogLevel.Warning)
            // A host that does not start ends the command with the reason; it need not be logged as well.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        logging.Services.Configure<ConsoleLoggerOptions>(static o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        if (json)
        {
            logging.AddJsonConsole(static o => o.UseUtcTimestamp = true);
        }
        else
        {
            logging.AddSimpleConsole(static o =>
            {
                o.SingleLine = true;
                o.TimestampFormat = "HH:mm:ss.fff ";
                o.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }
    });

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var (model, server, warnings) = ConfigFile.Require(session.ConfigPath);
        FailureView.WriteFindings(session.Terminal.Errors, warnings);
        using var loggers = Loggers(server.LogLevel, session.Json);
        await using var host =
            await ServerHost.StartAsync(model, server, ConnectorCatalog.Standard, loggers, cancellationToken)
            .ConfigureAwait(false);
        Announce(session, model, host);
        var failure = await WaitAsync(host, cancellationToken).ConfigureAwait(false);
        session.Terminal.Errors.Write(new Markup("Stopping: letting requests and writes in flight end.\n"));
        await host.StopAsync().ConfigureAwait(false);
        return failure is null ? ExitCode.Done : throw new SyncException(failure);
    }

    private static void Announce(Session session, EngineModel model, ServerHost host)
    {
        if (session.Json)
        {
            session.Terminal.Json(new StartedDocument(host.ControlAddress, host.DataAddress, model.DataDirectory),
                indented: false);
            session.Terminal.Output.Flush();
            return;
        }

        session.Terminal.Out.Write(new Markup(Markup.Escape(
            $"""
            Duplex runs, data in {model.DataDirectory} (syncs: {model.Syncs.Count}, connections: {model.Connections.Count})
              API       {host.ControlAddress}v1/status   (documented at {host.ControlAddress}docs)
              webhooks  {host.DataAddress}webhooks/<tenant>/<connection>
            {(model.Ingest is null ? "" : $"""
              posts     {host.DataAddress}sync   (tables: {model.Ingest.Schemas.Tables.Count()})
              feeds     {host.DataAddress}feed/<customer>   (customers: {model.Customers.Count})

            """)}
            """)));
    }

    /// <summary>Waits for the signal to stop (null), or until the server cannot go on: why.</summary>
    public static async Task<SyncError?> WaitAsync(ServerHost host, CancellationToken cancellationToken)
    {
        try
        {
            return await host.Failed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The signal to stop.
            return null;
        }
    }

    private sealed record StartedDocument(Uri ControlPlane, Uri DataPlane, string Data);
}
