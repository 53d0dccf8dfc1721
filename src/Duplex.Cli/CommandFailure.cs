using Duplex.Client;

namespace Duplex.Cli;

/// <summary>Why a command ends without having done its work, as <c>--json</c> writes it.</summary>
/// <param name="Code">The stable dotted code.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Field">The argument or member at fault.</param>
/// <param name="Fix">What to do.</param>
/// <param name="Findings">Everything that is wrong with a configuration.</param>
internal sealed record FailureDocument(
    string Code, string Message, string? Field = null, string? Fix = null, IReadOnlyList<FindingLine>? Findings = null);

/// <summary>A finding with its place in the file.</summary>
internal sealed record FindingLine(
    string Severity, string Code, string? Path, string? Location, string Message, string? Fix);

/// <summary>Ends a command with an exit code and a reason.</summary>
internal sealed class CommandFailure(int exitCode, FailureDocument failure) : Exception(failure.Message)
{
    public int ExitCode { get; } = exitCode;

    public FailureDocument Failure { get; } = failure;

    /// <summary>The failure that an exception of the client or the engine means; null if it means a bug.</summary>
    public static CommandFailure? Of(Exception exception) => exception switch
    {
        CommandFailure failure => failure,
        DuplexApiException { Problem: var p } =>
            // What the server calls a wrong request was an argument of the command, unless it is a document with findings.
            new CommandFailure(
                p.Findings is { Count: > 0 } ? Cli.ExitCode.Findings : p.Status == 400 ? Cli.ExitCode.Usage : Cli.ExitCode.Failed,
                new FailureDocument(p.Code, p.Detail, p.Field, p.Fix, p.Findings?.Select(static f =>
                    new FindingLine(f.Severity, f.Code, f.Path, null, f.Message, f.Fix)).ToList())),
        DuplexUnreachableException e => new CommandFailure(Cli.ExitCode.Failed, new FailureDocument(
            "client.unreachable", e.Message, null, "Start one with duplex run, or name another with --url.")),
        Sdk.SyncException { Error: var error } => new CommandFailure(Cli.ExitCode.Failed,
            new FailureDocument(Sdk.ErrorCodes.Dotted(error.Code), error.Message, error.Path, error.Suggestion)),
        OperationCanceledException =>
            new CommandFailure(Cli.ExitCode.Failed, new FailureDocument("command.interrupted", "Interrupted.")),
        _ => null,
    };
}
