using System.CommandLine;
using Duplex.Client;
using Duplex.Engine.Config;
using Spectre.Console;

namespace Duplex.Cli;

/// <summary>One run of one verb: its arguments, where it writes, and the server it speaks to.</summary>
internal sealed class Session(ParseResult arguments, Terminal terminal)
{
    public Terminal Terminal { get; } = terminal;

    public bool Json => arguments.GetValue(GlobalOptions.Json);

    public string ConfigPath => arguments.GetValue(GlobalOptions.Config)!;

    /// <summary>Attaches a verb's body to its command.</summary>
    public static Command Attach(Command command, Terminal terminal, Func<Session, CancellationToken, Task<int>> body)
    {
        command.SetAction((arguments, cancellationToken) => body(new Session(arguments, terminal), cancellationToken));
        return command;
    }

    public T? Get<T>(Option<T> option) => arguments.GetValue(option);

    public T? Get<T>(Argument<T> argument) => arguments.GetValue(argument);

    /// <summary>Writes a result: the document with <c>--json</c>, otherwise what people read.</summary>
    public void Print(object document, Action<IAnsiConsole> people)
    {
        if (Json)
        {
            Terminal.Json(document);
        }
        else
        {
            people(Terminal.Out);
        }
    }

    /// <summary>A client of the server that the options, the environment or the configuration name.</summary>
    public DuplexClient Connect() => new(Address(), ApiKey());

    /// <summary>
    /// Whether the command must ask a server: one is named, or there is no configuration to work from here. Otherwise
    /// the data directory tells: its stores are open in at most one process, so what runs on this configuration cannot
    /// be confused with another server that happens to listen where this one would.
    /// </summary>
    public bool MustAskServer => arguments.GetValue(GlobalOptions.Url) is not null
        || Environment.GetEnvironmentVariable("DUPLEX_URL") is not null || !File.Exists(ConfigPath);

    /// <summary>Tenant and name of a sync given as <c>tenant/name</c>, or as a name that only one tenant
    /// uses.</summary>
    public static async Task<(string Tenant, string Name)> FindSyncAsync(
        DuplexClient client, string? text, CancellationToken cancellationToken)
    {
        var syncs = (await client.SyncsAsync(cancellationToken).ConfigureAwait(false)).Items
            .Select(static s => (s.Tenant, s.Name)).ToList();
        return Find(syncs, text, "sync");
    }

    /// <summary>The full name of the sync that an option narrows a list to; null for every sync.</summary>
    public async Task<string?> FilterAsync(
        DuplexClient client, Option<string?> option, CancellationToken cancellationToken)
    {
        if (Get(option) is not { } given)
        {
            return null;
        }

        var (tenant, name) = await FindSyncAsync(client, given, cancellationToken).ConfigureAwait(false);
        return $"{tenant}/{name}";
    }

    /// <summary>The one of the given things that the text means.</summary>
    public static (string Tenant, string Name) Find(
        IReadOnlyList<(string Tenant, string Name)> all, string? text, string kind)
    {
        if (text is ['-', '-', ..])
        {
            throw new CommandFailure(ExitCode.Usage, new FailureDocument(
                "command.usage", $"There is no option {text} here.", kind, "--help shows what there is."));
        }

        var matching = all.Where(s => text is null || s.Name == text || $"{s.Tenant}/{s.Name}" == text).ToList();
        var known = string.Join(", ", all.Select(static s => $"{s.Tenant}/{s.Name}"));
        return matching.Count switch
        {
            1 => matching[0],
            0 => throw new CommandFailure(ExitCode.Failed, new FailureDocument(
                $"request.unknown_{kind}", text is null
                    ? $"No {kind} is configured." : $"There is no {kind} {text}.", kind,
                known.Length == 0 ? null : $"There is: {known}.")),
            _ => throw new CommandFailure(ExitCode.Usage, new FailureDocument(
                "command.usage", text is null
                    ? $"Name the {kind}." : $"{text} may mean several.", kind, $"Give one of {known}.")),
        };
    }

    private Uri Address()
    {
        var text = arguments.GetValue(GlobalOptions.Url) ?? Environment.GetEnvironmentVariable("DUPLEX_URL");
        if (text is null)
        {
            return Configured() ?? new Uri("http://127.0.0.1:8000");
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new CommandFailure(ExitCode.Usage, new FailureDocument(
                "command.usage", $"{text} is not the address of a server.", "url",
                    "For example --url http://127.0.0.1:8000"));
    }

    /// <summary>Where the configured server listens, if there is a configuration that can be read.</summary>
    private Uri? Configured()
    {
        if (!File.Exists(ConfigPath) || ConfigFile.Read(ConfigPath).Server is not { ControlPlane: { Port: > 0 } at })
        {
            return null;
        }

        var host = at.Address.Equals(System.Net.IPAddress.Any) || at.Address.Equals(System.Net.IPAddress.IPv6Any)
            ? System.Net.IPAddress.Loopback
            : at.Address;
        return new Uri($"http://{new System.Net.IPEndPoint(host, at.Port)}");
    }

    private string? ApiKey()
    {
        if (arguments.GetValue(GlobalOptions.ApiKeyFile) is not { } file)
        {
            return Environment.GetEnvironmentVariable("DUPLEX_API_KEY") is { Length: > 0 } key ? key : null;
        }

        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, new FailureDocument(
                "command.usage", $"{file} cannot be read: {e.Message}", "api-key-file",
                    "Check the path and its permissions."));
        }
    }
}
