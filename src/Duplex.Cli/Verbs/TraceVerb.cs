using System.CommandLine;
using Duplex.Cli.Views;
using Duplex.Client;

namespace Duplex.Cli.Verbs;

/// <summary>Shows one record on both sides and everything that happened to it.</summary>
internal static class TraceVerb
{
    private static readonly Argument<string> Sync = new("sync") { Description = "The sync: name, or tenant/name." };

    private static readonly Argument<string> Key = new("key")
    {
        Description = """The record's key on either side; a JSON array for a composite key: ["eu","42"].""",
    };

    private static readonly Option<string?> Side = new("--side")
    {
        Description = "The side that the key belongs to: a or b. Default: a, and b if a does not know it.",
    };

    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("trace", "Show a record on both sides, and its timeline.") { Sync, Key, Side }, terminal, RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var (tenant, name) =
            await Session.FindSyncAsync(client, session.Get(Sync), cancellationToken).ConfigureAwait(false);
        var key = session.Get(Key)!;
        RecordDocument record;
        try
        {
            record = await client.RecordAsync(tenant, name, session.Get(Side) ?? "a", key, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (DuplexApiException e) when (e.Problem.Code == "request.unknown_record" && session.Get(Side) is null)
        {
            record = await OfSideBAsync(client, tenant, name, key, cancellationToken).ConfigureAwait(false);
        }

        session.Print(record, console => RecordView.Write(console, record));
        return ExitCode.Done;
    }

    private static async Task<RecordDocument> OfSideBAsync(
        DuplexClient client, string tenant, string sync, string key, CancellationToken cancellationToken)
    {
        try
        {
            return await client.RecordAsync(tenant, sync, "b", key, cancellationToken).ConfigureAwait(false);
        }
        catch (DuplexApiException e) when (e.Problem.Code == "request.unknown_record")
        {
            throw new CommandFailure(ExitCode.Failed, new FailureDocument(e.Problem.Code,
                $"{tenant}/{sync} has never seen a record {key} on either side, and neither system has it.", "key",
                "Give the key as the system itself writes it; duplex status shows the systems on both sides."));
        }
    }
}
