using System.CommandLine;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Pause, resume and snapshot anew.</summary>
internal static class CommandVerbs
{
    private static readonly Argument<string> Sync = new("sync") { Description = "The sync: name, or tenant/name." };

    private static readonly Argument<string> Connection =
        new("connection") { Description = "The connection: name, or tenant/name." };

    public static Command Pause(Terminal terminal) => Session.Attach(
        new Command("pause", "Pause both legs of a sync; survives restarts.") { Sync }, terminal,
        static (session, cancellationToken) =>
            OnSyncAsync(session, static (c, t, n, ct) => c.PauseAsync(t, n, ct), cancellationToken));

    public static Command Resume(Terminal terminal) => Session.Attach(
        new Command("resume", "Resume a paused or blocked sync; releases a brake.") { Sync }, terminal,
        static (session, cancellationToken) =>
            OnSyncAsync(session, static (c, t, n, ct) => c.ResumeAsync(t, n, ct), cancellationToken));

    public static Command Resnapshot(Terminal terminal) => Session.Attach(
        new Command("resnapshot", "Capture a connection's streams anew, after a gap or on demand.") { Connection },
            terminal,
        ResnapshotAsync);

    private static async Task<int> OnSyncAsync(
        Session session, Func<DuplexClient, string, string, CancellationToken, Task<CommandDocument>> command,
        CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var (tenant, name) =
            await Session.FindSyncAsync(client, session.Get(Sync), cancellationToken).ConfigureAwait(false);
        Print(session, await command(client, tenant, name, cancellationToken).ConfigureAwait(false));
        return ExitCode.Done;
    }

    private static async Task<int> ResnapshotAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var all = await client.ConnectionsAsync(cancellationToken).ConfigureAwait(false);
        var (tenant, name) = Session.Find(
            [.. all.Items.Select(static c => (c.Tenant, c.Name))], session.Get(Connection), "connection");
        Print(session, await client.ResnapshotAsync(tenant, name, cancellationToken).ConfigureAwait(false));
        return ExitCode.Done;
    }

    private static void Print(Session session, CommandDocument done) => session.Print(done, console =>
        console.Write(new Markup(Markup.Escape($"{done.Name}: {done.Done.Replace('_', ' ')}\n"))));
}
