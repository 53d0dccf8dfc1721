using System.CommandLine;
using System.Globalization;
using Duplex.Cli.Views;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Sends a part of the log to a customer's feed again, and shows how far it is.</summary>
internal static class ReplayVerb
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(200);

    private static readonly Argument<string> Customer = new("customer") { Description = "The customer." };

    private static readonly Option<string?> TableName = new("--table") { Description = "Only this table." };

    private static readonly Option<string?> Key = new("--key")
    {
        Description = "Only this record: a value, or a JSON array of texts for a composite key.",
    };

    private static readonly Option<string?> From = new("--from")
    {
        Description = "Changes from a time on (2026-01-31T12:00:00Z), or from offsets on (0:120,2:80), which need --table.",
    };

    private static readonly Option<string?> To = new("--to") { Description = "Changes before a time or before offsets." };

    private static readonly Option<bool> Show = new("--show") { Description = "Start nothing; show the last replay." };

    private static readonly Option<bool> Cancel = new("--cancel") { Description = "End the replay that runs." };

    private static readonly Option<bool> NoWait = new("--no-wait") { Description = "Return once it has begun." };

    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("replay", "Send a part of the log to a customer's feed again, by record, time or offsets.")
        {
            Customer, TableName, Key, From, To, Show, Cancel, NoWait,
        }, terminal, RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var customer = session.Get(Customer)!;
        var replay = await BeginAsync(session, client, customer, cancellationToken).ConfigureAwait(false);
        var waits = !session.Get(Show) && !session.Get(Cancel) && !session.Get(NoWait);
        if (waits)
        {
            replay = await ProgressView.RunAsync(session, "replaying", async report =>
            {
                while (replay.State is "running" or "cancelling")
                {
                    report(new ProgressDocument(replay.Passed, replay.Changes, "replaying"));
                    await Task.Delay(Between, cancellationToken).ConfigureAwait(false);
                    replay = await client.FeedReplayAsync(customer, cancellationToken).ConfigureAwait(false);
                }

                return replay;
            }).ConfigureAwait(false);
        }

        session.Print(replay, console => console.Write(new Text(
            $"{customer}: replay {replay.Id} is {replay.State}; {replay.Passed} of {replay.Changes} changes passed, {replay.Sent} records "
            + $"sent, {replay.Refused} refused{(replay.Error is { } error ? $": {error}" : "")}\n")));
        return replay.State == "failed" || (waits && replay.Refused > 0) ? ExitCode.Failed : ExitCode.Done;
    }

    private static Task<FeedReplayDocument> BeginAsync(
        Session session, DuplexClient client, string customer, CancellationToken cancellationToken)
    {
        if (session.Get(Show))
        {
            return client.FeedReplayAsync(customer, cancellationToken);
        }

        if (session.Get(Cancel))
        {
            return client.CancelFeedReplayAsync(customer, cancellationToken);
        }

        var (from, firsts) = Bound(session.Get(From), "from");
        var (to, ends) = Bound(session.Get(To), "to");
        var ranges = firsts is null && ends is null ? null : (firsts ?? []).Keys.Union((ends ?? []).Keys).Order()
            .Select(partition => new OffsetRangeDocument(partition, Offset(firsts, partition), Offset(ends, partition))).ToList();
        return client.StartFeedReplayAsync(customer,
            new FeedReplayRequest(session.Get(TableName), session.Get(Key), from, to, ranges), cancellationToken);
    }

    private static long? Offset(Dictionary<int, long>? offsets, int partition) =>
        offsets is not null && offsets.TryGetValue(partition, out var offset) ? offset : null;

    /// <summary>A time, or offsets by partition.</summary>
    private static (DateTimeOffset? Time, Dictionary<int, long>? Offsets) Bound(string? text, string option)
    {
        if (text is null)
        {
            return (null, null);
        }

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            && text.Contains('-', StringComparison.Ordinal))
        {
            return (time, null);
        }

        var offsets = new Dictionary<int, long>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.Split(':') is not [var left, var right]
                || !int.TryParse(left, NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
                || !long.TryParse(right, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
                || !offsets.TryAdd(partition, offset))
            {
                throw new CommandFailure(ExitCode.Usage, new FailureDocument("command.usage",
                    $"{text} is neither a time nor offsets by partition.", option,
                    "For example 2026-01-31T12:00:00Z, or 0:120,2:80 for offset 120 of partition 0 and 80 of partition 2."));
            }
        }

        return (null, offsets);
    }
}
