using System.CommandLine;
using Duplex.Cli.Views;
using Duplex.Client;
using Duplex.Sdk;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Shows the state of everything.</summary>
internal static class StatusVerb
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(250);

    private static readonly Option<string?> Wait = new("--wait")
    {
        Description = "Wait until data moves, at most this long (30s, 5m); exit 1 if it does not.",
    };

    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("status", "Show every connection, sync and customer: state, lag, pending, dead letters.") { Wait }, terminal,
            RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var status = session.Get(Wait) is { } wait
            ? await WaitAsync(client, wait, cancellationToken).ConfigureAwait(false)
            : await client.StatusAsync(cancellationToken).ConfigureAwait(false);
        session.Print(status, console => StatusView.Write(console, status));
        return session.Get(Wait) is null || status.Ready ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<StatusDocument> WaitAsync(DuplexClient client, string wait,
        CancellationToken cancellationToken)
    {
        if (!Durations.TryParse(wait, out var patience))
        {
            throw new CommandFailure(ExitCode.Usage, new FailureDocument(
                "command.usage", $"{wait} is not a length of time.", "wait", "For example --wait 30s"));
        }

        var deadline = TimeProvider.System.GetUtcNow() + patience;
        while (true)
        {
            var late = TimeProvider.System.GetUtcNow() >= deadline;
            try
            {
                var status = await client.StatusAsync(cancellationToken).ConfigureAwait(false);
                if (status.Ready || late)
                {
                    return status;
                }
            }
            catch (DuplexUnreachableException) when (!late)
            {
                // It may be starting.
            }

            await Task.Delay(Between, cancellationToken).ConfigureAwait(false);
        }
    }
}
