using System.CommandLine;
using System.Text.Json;
using Duplex.Cli.Views;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Lists conflicts and decides those that wait.</summary>
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

    private static readonly Option<long> Before =
        new("--before") { Description = "Only those with a smaller number: the next page." };

    private static readonly Argument<long> Id = new("id") { Description = "The conflict's number." };

    private static readonly Argument<string> Use = new("side")
    {
        Description = "The side whose value stands, or in whose form --value is given: a or b.",
    };

    private static readonly Option<string?> Value = new("--value")
    {
        Description = "Another value for both sides, as JSON; what is no JSON is taken as text.",
    };

    public static Command Make(Terminal terminal)
    {
        var conflicts = new Command("conflicts", "Fields that both sides changed: list them, decide those that wait.")
        {
            Session.Attach(new Command("list", "List them, newest first, with the value that lost and why.")
            {
                Sync, Waiting, Limit, Before,
            }, terminal, ListAsync),
            Session.Attach(new Command("resolve", "Decide one that waits: a, b, or another value.") { Id, Use, Value },
                terminal, ResolveAsync),
        };
        Use.AcceptOnlyFromAmong("a", "b");
        return conflicts;
    }

    private static async Task<int> ListAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var sync = await session.FilterAsync(client, Sync, cancellationToken).ConfigureAwait(false);
        var waiting = session.Get(Waiting);
        var conflicts = await client
            .ConflictsAsync(sync, waiting, session.Get(Before), session.Get(Limit), cancellationToken)
            .ConfigureAwait(false);
        session.Print(conflicts, console => RecordView.Write(console, conflicts, waiting));
        return ExitCode.Done;
    }

    private static async Task<int> ResolveAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var value = session.Get(Value) is { } text ? Json(text) : default;
        var conflict = await client
            .ResolveAsync(session.Get(Id), new ResolveRequest(session.Get(Use)!) { Value = value }, cancellationToken)
            .ConfigureAwait(false);
        session.Print(conflict, console => console.Write(new Markup(Markup.Escape(
            $"{conflict.Sync}: {conflict.Rule} of {conflict.A ?? conflict.B} is decided and being written. "
            + "duplex conflicts list shows when it is done.\n"))));
        return ExitCode.Done;
    }

    private static JsonElement Json(string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(text);
        }
    }
}
