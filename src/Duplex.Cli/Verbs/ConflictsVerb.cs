using System.CommandLine;
using Duplex.Cli.Views;

namespace Duplex.Cli.Verbs;

/// <summary>Lists conflicts.</summary>
internal static class ConflictsVerb
{
    private static readonly Option<string?> Sync =
        new("--sync") { Description = "Only of this sync: name, or tenant/name." };

    private static readonly Option<bool> Waiting =
        new("--waiting") { Description = "Only those that wait for a person." };

    private static readonly Option<int> Limit = new("--limit")
    {
        Description = "At most so many, from 1 to 1000.",
        DefaultValueFactory = static _ => 100,
    };

    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("conflicts", "List fields that both sides changed, with the value that lost and why.") { Sync,
            Waiting, Limit },
        terminal, RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var sync = await session.FilterAsync(client, Sync, cancellationToken).ConfigureAwait(false);
        var conflicts = await client.ConflictsAsync(sync, session.Get(Waiting), session.Get(Limit), cancellationToken)
            .ConfigureAwait(false);
        session.Print(conflicts, console => RecordView.Write(console, conflicts));
        return ExitCode.Done;
    }
}
