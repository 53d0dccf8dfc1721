using System.CommandLine;
using System.Reflection;
using Duplex.Cli.Views;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Writes a configuration to start from.</summary>
internal static class InitVerb
{
    private static readonly Option<bool> Force = new("--force") { Description = "Overwrite an existing file." };

    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("init", "Write a duplex.yaml to start from.") { Force }, terminal, RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var path = Path.GetFullPath(session.ConfigPath);
        if (File.Exists(path) && !session.Get(Force))
        {
            throw new CommandFailure(ExitCode.Failed, new FailureDocument(
                "init.exists", $"{session.ConfigPath} is there already.", "config",
                    "Overwrite it with --force, or name another file with --config."));
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, Template(), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Failed, new FailureDocument(
                "init.unwritable", $"{session.ConfigPath} cannot be written: {e.Message}", "config",
                    "Name another file with --config."));
        }

        string[] next =
        [
            "Edit the file: where your database is, and which fields belong together.",
            "export SHOP_PASSWORD=… STRIPE_API_KEY=… STRIPE_WEBHOOK_SECRET=…",
            $"{CommandName.Own} doctor   # checks database and Stripe, and says what to change there",
            $"{CommandName.Own} plan     # counts what a first sync would do; writes nothing",
            $"{CommandName.Own} run",
        ];
        session.Print(new WrittenDocument(path, next), console =>
        {
            console.Write(new Markup(Markup.Escape($"Wrote {session.ConfigPath}. Next:\n")));
            foreach (var step in next)
            {
                FailureView.Line(console, $"  {Markup.Escape(step)}");
            }
        });
        return ExitCode.Done;
    }

    private static string Template()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("duplex.template.yaml")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private sealed record WrittenDocument(string File, IReadOnlyList<string> Next);
}
