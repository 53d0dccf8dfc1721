using System.CommandLine;
using Duplex.Cli.Views;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Lists, shows and replays dead letters.</summary>
internal static class DeadLetterVerb
{
    private static readonly Option<string?> Sync =
        new("--sync") { Description = "Only of this sync: name, or tenant/name." };

    private static readonly Option<int> Limit = new("--limit")
    {
        Description = "At most so many, from 1 to 1000.",
        DefaultValueFactory = static _ => 100,
    };

    private static readonly Option<long> Before =
        new("--before") { Description = "Only those with a smaller number: the next page." };

    private static readonly Argument<long> Id = new("id") { Description = "The dead letter's number." };

    private static readonly Argument<long[]> Ids = new("id")
    {
        Description = "Numbers of dead letters.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public static Command Make(Terminal terminal) =>
        new("dlq", "Dead letters: changes that cannot be delivered without a person.")
        {
            Session.Attach(new Command("list", "List them, newest first.") { Sync, Limit, Before }, terminal,
                ListAsync),
            Session.Attach(new Command("show", "Show one with its change.") { Id }, terminal, ShowAsync),
            Session.Attach(
                new Command("replay",
                    "Decide them anew against the present state: some by number, or all of a sync.") { Ids, Sync },
                terminal, ReplayAsync),
        };

    private static async Task<int> ListAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var sync = await session.FilterAsync(client, Sync, cancellationToken).ConfigureAwait(false);
        var letters = await client.DeadLettersAsync(sync, session.Get(Before), session.Get(Limit), cancellationToken)
            .ConfigureAwait(false);
        session.Print(letters, console => RecordView.Write(console, letters));
        return ExitCode.Done;
    }

    private static async Task<int> ShowAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var letter = await client.DeadLetterAsync(session.Get(Id), cancellationToken).ConfigureAwait(false);
        session.Print(letter, console => RecordView.Write(console, letter));
        return ExitCode.Done;
    }

    private static async Task<int> ReplayAsync(Session session, CancellationToken cancellationToken)
    {
        var ids = session.Get(Ids) ?? [];
        if ((ids.Length == 0) == (session.Get(Sync) is null))
        {
            throw new CommandFailure(ExitCode.Usage, new FailureDocument(
                "command.usage", "Name what to replay.", "id",
                    "duplex dlq replay 17 18, or duplex dlq replay --sync customers"));
        }

        using var client = session.Connect();
        var request = ids.Length > 0
            ? new ReplayRequest(Ids: ids)
            : new ReplayRequest(Sync: await session.FilterAsync(client, Sync, cancellationToken).ConfigureAwait(false));
        var outcome = await client.ReplayAsync(request, cancellationToken).ConfigureAwait(false);
        session.Print(outcome, console =>
            console.Write(new Text(CommandName.In(
                $"{outcome.Replayed} of {outcome.Asked} taken up. duplex dlq list shows what comes back.\n"))));
        return ExitCode.Done;
    }
}
