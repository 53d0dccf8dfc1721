using System.CommandLine;
using System.Globalization;
using Duplex.Engine.Secrets;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Stores the secrets that <c>${secret:name}</c> refers to. Values come from standard input, never from the
/// command line.</summary>
internal static class SecretsVerb
{
    private static readonly Argument<string> Name = new("name")
    {
        Description = "Letters, digits and ._- ; tenant/name for a secret that only one tenant may use.",
    };

    private static readonly Option<string> Data = new("--data")
    {
        Description = "The data directory. Default: data beside the configuration file.",
    };

    public static Command Make(Terminal terminal)
    {
        var command = new Command("secrets", "Store the secrets that ${secret:name} refers to, encrypted.")
        {
            Session.Attach(new Command("list", "List names, never values.") { Data }, terminal, ListAsync),
            Session.Attach(new Command("set", "Store a secret; its value is read from standard input.") { Name, Data },
                terminal, SetAsync),
            Session.Attach(new Command("remove", "Remove a secret.") { Name, Data }, terminal, RemoveAsync),
            Session.Attach(new Command("rotate", "Wrap every secret under a fresh key.") { Data }, terminal,
                RotateAsync),
        };
        command.Aliases.Add("secret");
        return command;
    }

    private static Task<int> ListAsync(Session session, CancellationToken cancellationToken)
    {
        var entries = Open(session).List();
        session.Print(entries, console =>
        {
            var table = new Table().Border(TableBorder.Simple).AddColumns("name", "version", "set");
            foreach (var entry in entries)
            {
                table.AddRow(
                    Markup.Escape(entry.Name), entry.Version.ToString(CultureInfo.InvariantCulture),
                    entry.SetAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));
            }

            console.Write(table);
        });
        return Task.FromResult(ExitCode.Done);
    }

    private static async Task<int> SetAsync(Session session, CancellationToken cancellationToken)
    {
        var name = CheckedName(session);
        var value = await ReadValueAsync(
            session, $"Value of {name}", "value", $"printf %s \"$VALUE\" | duplex secrets set {name}", cancellationToken)
            .ConfigureAwait(false);
        Open(session).Set(name, value);
        Print(session, name, "set");
        return ExitCode.Done;
    }

    /// <summary>A secret from standard input, asked for where a person sits before it.</summary>
    public static async Task<string> ReadValueAsync(
        Session session, string what, string field, string example, CancellationToken cancellationToken)
    {
        var value = session.Terminal.Screen && !Console.IsInputRedirected
            ? await new TextPrompt<string>($"{Markup.Escape(what)}:").Secret()
                .ShowAsync(session.Terminal.Errors, cancellationToken).ConfigureAwait(false)
            : (await session.Terminal.Input.ReadToEndAsync(cancellationToken).ConfigureAwait(false)).TrimEnd('\r', '\n');
        return value.Length > 0 ? value : throw new CommandFailure(ExitCode.Usage, new FailureDocument(
            "command.usage", "The value is empty.", field, example));
    }

    private static Task<int> RemoveAsync(Session session, CancellationToken cancellationToken)
    {
        var name = CheckedName(session);
        if (!Open(session).Delete(name))
        {
            throw new CommandFailure(ExitCode.Failed, new FailureDocument(
                "secrets.unknown", $"There is no secret {name}.", "name", "duplex secrets list shows what there is."));
        }

        Print(session, name, "removed");
        return Task.FromResult(ExitCode.Done);
    }

    private static Task<int> RotateAsync(Session session, CancellationToken cancellationToken)
    {
        Open(session).RotateKey();
        Print(session, "all secrets", "rotated");
        return Task.FromResult(ExitCode.Done);
    }

    private static string CheckedName(Session session)
    {
        var name = session.Get(Name)!;
        return SecretNames.IsValid(name)
            ? name
            : throw new CommandFailure(ExitCode.Usage, new FailureDocument(
                "command.usage", $"{name} cannot be the name of a secret.", "name",
                    "Use letters, digits and ._- only."));
    }

    private static EmbeddedSecretStore Open(Session session) => new(DataDirectory(session));

    /// <summary>
    /// The configuration itself may wait for the secret that is to be stored, so that it need not be valid: a valid one
    /// tells where its data is; otherwise it is beside the file.
    /// </summary>
    private static string DataDirectory(Session session)
    {
        if (session.Get(Data) is { } given)
        {
            return Path.GetFullPath(given);
        }

        var configured = File.Exists(session.ConfigPath) ? ConfigFile.DataDirectory(session.ConfigPath) : null;
        return configured ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(session.ConfigPath))!, "data");
    }

    private static void Print(Session session, string name, string done) =>
        session.Print(new DoneDocument(name, done),
            console => console.Write(new Markup(Markup.Escape($"{name}: {done}\n"))));

    private sealed record DoneDocument(string Name, string Done);
}
