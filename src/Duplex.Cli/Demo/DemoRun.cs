using System.Globalization;
using Duplex.Client;
using Duplex.Cli.Verbs;
using Duplex.Cli.Views;
using Duplex.Sdk;
using Duplex.Server;
using Duplex.Simulators.Postgres;

namespace Duplex.Cli.Demo;

/// <summary>Starts the systems, runs Duplex between them, tells the story, and leaves everything running to play
/// with.</summary>
internal static class DemoRun
{
    public static async Task<int> RunAsync(DemoOptions options, Session session, CancellationToken cancellationToken)
    {
        var narrator = new Narrator(session);
        if (!options.RestOnly && PrivatePostgres.Unavailable is { } reason)
        {
            narrator.Say(reason);
            narrator.Say("So this demo syncs two simulated Stripe accounts instead; it shows no database.");
            options = options with { RestOnly = true };
        }

        var dataPort = LoopbackPort.Take(3000);
        var controlPort = LoopbackPort.Take(8000);
        await using var stage = options.RestOnly
            ? (DemoStage)await RestStage.StartAsync(dataPort, cancellationToken).ConfigureAwait(false)
            : await ShopStage.StartAsync(dataPort, cancellationToken).ConfigureAwait(false);
        var values = new Dictionary<string, string>(stage.Values, StringComparer.Ordinal)
        {
            ["data_port"] = dataPort.ToString(CultureInfo.InvariantCulture),
            ["control_port"] = controlPort.ToString(CultureInfo.InvariantCulture),
        };
        if (await DemoConfig.WriteAsync(options, values, cancellationToken).ConfigureAwait(false))
        {
            narrator.Say($"{options.ConfigPath} was edited; it is used as it is.");
        }

        return await WithDuplexAsync(options, session, stage, narrator, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<int> WithDuplexAsync(
        DemoOptions options, Session session, DemoStage stage, Narrator narrator, CancellationToken cancellationToken)
    {
        var (model, server, warnings) = ConfigFile.Require(options.ConfigPath);
        FailureView.WriteFindings(session.Terminal.Errors, [.. warnings.Where(static w => w.Severity != "note")]);
        // The other systems begin anew, and what was known of their former selves would be wrong.
        if (Directory.Exists(options.DataDirectory))
        {
            Directory.Delete(options.DataDirectory, recursive: true);
        }

        narrator.Say(stage.Setting);
        using var loggers = RunVerb.Loggers(server.LogLevel, session.Json);
        await using var host =
            await ServerHost.StartAsync(model, server, ConnectorCatalog.Standard, loggers, cancellationToken)
            .ConfigureAwait(false);
        using var client = new DuplexClient(host.ControlAddress);
        try
        {
            await stage.PlayAsync(narrator, client, cancellationToken).ConfigureAwait(false);
            // The counts that the status shows may be a second old.
            await Task.Delay(TimeSpan.FromSeconds(1.2), cancellationToken).ConfigureAwait(false);
            var status = await client.StatusAsync(cancellationToken).ConfigureAwait(false);
            session.Print(new StoryDocument(host.ControlAddress, host.DataAddress, narrator.Moves, status), console =>
            {
                StatusView.Write(console, status);
                if (!options.Once)
                {
                    narrator.Say(stage.NextSteps(NextStep.Command(host.ControlAddress), host.ControlAddress));
                }

                narrator.Say($"The configuration is {options.ConfigPath}.");
            });
            await session.Terminal.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
            if (!options.Once)
            {
                narrator.Say("Running until Ctrl-C.");
                if (await RunVerb.WaitAsync(host, cancellationToken).ConfigureAwait(false) is { } failure)
                {
                    throw new SyncException(failure);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl-C in the middle of the story ends it like any other.
        }
        catch (CommandFailure)
        {
            StatusView.Write(session.Terminal.Errors, await client.StatusAsync(cancellationToken)
                .ConfigureAwait(false));
            throw;
        }

        await host.StopAsync().ConfigureAwait(false);
        return ExitCode.Done;
    }

    private sealed record StoryDocument(
        Uri ControlPlane, Uri DataPlane, IReadOnlyList<Narrator.MoveDocument> Moves, StatusDocument Status);
}
