using System.CommandLine;
using Duplex.Cli.Verbs;
using Duplex.Cli.Views;
using Spectre.Console;

namespace Duplex.Cli;

/// <summary>The command line: parses, runs a verb, and turns whatever ends it into a message and an exit code.</summary>
internal static class DuplexCommand
{
    public static async Task<int> RunAsync(string[] arguments, Terminal terminal, CancellationToken cancellationToken)
    {
        var json = arguments.Contains("--json", StringComparer.Ordinal);
        try
        {
            var parsed = Root(terminal).Parse(arguments);
            if (parsed.Errors.Count > 0)
            {
                throw new CommandFailure(ExitCode.Invalid, new FailureDocument(
                    "command.usage", string.Join(' ', parsed.Errors.Select(static e => e.Message)), null,
                    $"duplex {string.Join(' ', parsed.CommandResult.Command.Name is "duplex" ? [] : new[] { parsed.CommandResult.Command.Name })} --help shows what it takes."
                        .Replace("  ", " ", StringComparison.Ordinal)));
            }

            var invocation = new InvocationConfiguration
            {
                Output = terminal.Output,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(invocation, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (CommandFailure.Of(e) is { } failure)
        {
            if (json)
            {
                terminal.Json(failure.Failure);
            }
            else
            {
                FailureView.Write(terminal.Errors, failure.Failure);
            }

            return failure.ExitCode;
        }
    }

    private static RootCommand Root(Terminal terminal)
    {
        var root = new RootCommand("Duplex keeps pairs of records equal, in both directions.")
        {
            GlobalOptions.Config, GlobalOptions.Url, GlobalOptions.ApiKeyFile, GlobalOptions.Json,
        };
        foreach (var verb in new[]
        {
            RunVerb.Make(terminal), DemoVerb.Make(terminal), InitVerb.Make(terminal), DoctorVerb.Make(terminal),
            ValidateVerb.Make(terminal), PlanVerb.Make(terminal), StatusVerb.Make(terminal), TraceVerb.Make(terminal),
            DeadLetterVerb.Make(terminal), CommandVerbs.Pause(terminal), CommandVerbs.Resume(terminal),
            CommandVerbs.Resnapshot(terminal), ConflictsVerb.Make(terminal), SecretsVerb.Make(terminal),
        })
        {
            root.Subcommands.Add(verb);
        }

        return root;
    }
}
