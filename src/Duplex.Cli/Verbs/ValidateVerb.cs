using System.CommandLine;
using Duplex.Cli.Views;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Checks the configuration without asking any other system.</summary>
internal static class ValidateVerb
{
    public static Command Make(Terminal terminal) => Session.Attach(
        new Command("validate", "Check the configuration; every error is shown at once. Asks no other system."),
            terminal, RunAsync);

    private static Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var result = ConfigFile.Read(session.ConfigPath);
        var valid = result.Model is not null;
        var findings = result.Findings.Select(ConfigFile.Line).ToList();
        var document = new ValidDocument(
            valid, session.ConfigPath, result.Model?.Connections.Count ?? 0, result.Model?.Syncs.Count ?? 0,
            result.Model?.Customers.Count ?? 0, findings);
        session.Print(document, console =>
        {
            FailureView.WriteFindings(console, findings);
            console.Write(new Markup(Markup.Escape(valid
                ? $"{session.ConfigPath} is valid (connections: {document.Connections}, syncs: {document.Syncs}, "
                    + $"customers: {document.Customers}).\n"
                : $"{session.ConfigPath} cannot be used: {ConfigFile.Errors(findings)}.\n")));
        });
        return Task.FromResult(valid ? ExitCode.Done : ExitCode.Findings);
    }

    private sealed record ValidDocument(
        bool Valid, string File, int Connections, int Syncs, int Customers, IReadOnlyList<FindingLine> Findings);
}
