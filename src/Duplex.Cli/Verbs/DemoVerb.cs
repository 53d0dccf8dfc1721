using System.CommandLine;
using Duplex.Cli.Demo;

namespace Duplex.Cli.Verbs;

/// <summary>Shows Duplex at work between a private PostgreSQL and a Stripe simulator, all on this machine.</summary>
internal static class DemoVerb
{
    private static readonly Option<bool> Once = new("--once")
    {
        Description = "Exit after showing records move each way, instead of running until Ctrl-C.",
    };

    private static readonly Option<bool> WithoutDatabase = new("--rest-only")
    {
        Description = "Use two simulated Stripe accounts and no PostgreSQL.",
    };

    private static readonly Option<string> Folder = new("--folder")
    {
        Description = "Where the demo keeps its configuration and data.",
        DefaultValueFactory = static _ => ".duplex",
    };

    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("demo", "Show records move both ways between a private PostgreSQL and a Stripe simulator.")
        {
            Once, WithoutDatabase, Folder,
        },
        terminal,
        static (session, cancellationToken) => DemoRun.RunAsync(
            new DemoOptions(Path.GetFullPath(session.Get(Folder)!), session.Get(Once), session.Get(WithoutDatabase)),
            session, cancellationToken));
}
