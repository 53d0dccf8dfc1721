using System.CommandLine;
using Duplex.Cli.Views;
using Duplex.Client;

namespace Duplex.Cli.Verbs;

/// <summary>Shows what is stored for a customer.</summary>
internal static class FeedVerb
{
    private static readonly Argument<string> Customer = new("customer") { Description = "The customer." };

    private static readonly Option<long?> Offset = new("--offset")
    {
        Description = "Only records after this one. Default: from the first that is left.",
    };

    private static readonly Option<int> Limit = new("--limit")
    {
        Description = "At most so many, from 1 to 1000.",
        DefaultValueFactory = static _ => 50,
    };

    private static readonly Option<string?> Table = new("--table") { Description = "Only records of this table." };

    private static readonly Option<bool> Follow = new("--follow", "-f")
    {
        Description = "Go on with records as they come, until interrupted; with --json one document per line.",
    };

    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("feed", "Show the records that are stored for a customer.")
        {
            Customer, Offset, Limit, Table, Follow,
        }, terminal, RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var customer = session.Get(Customer)!;
        var reading = new FeedReading(session.Get(Offset), session.Get(Limit), session.Get(Table));
        if (!session.Get(Follow))
        {
            var page = await client.FeedAsync(customer, reading, cancellationToken).ConfigureAwait(false);
            session.Print(page, console => FeedView.Write(console, page));
            return ExitCode.Done;
        }

        try
        {
            await foreach (var record in client.FollowFeedAsync(customer, reading, cancellationToken)
                .ConfigureAwait(false))
            {
                if (session.Json)
                {
                    session.Terminal.Json(record, indented: false);
                }
                else
                {
                    await session.Terminal.Output.WriteLineAsync(FeedView.Line(record)).ConfigureAwait(false);
                }

                await session.Terminal.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Being interrupted is how following ends.
        }

        return ExitCode.Done;
    }
}
