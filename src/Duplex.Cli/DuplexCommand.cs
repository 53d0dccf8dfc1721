using System.CommandLine;
using System.CommandLine.Parsing;
using Duplex.Cli.Verbs;
using Duplex.Cli.Views;
using Spectre.Console;

namespace Duplex.Cli;

/// <summary>The command line: parses, runs a verb, and turns whatever ends it into a message and an exit
/// code.</summary>
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
                var verb = Typed(parsed.CommandResult);
                throw new CommandFailure(ExitCode.Usage, new FailureDocument(
                    "command.usage", Wrong(parsed), null,
                    $"duplex {verb}--help shows what it takes."));
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
            Tell(terminal, json, failure.Failure);
            return failure.ExitCode;
        }
        catch (Exception e)
        {
            // The outermost boundary: what comes here is a fault in Duplex, and its trace is what a report of it needs.
            await terminal.Errors.Profile.Out.Writer.WriteLineAsync(e.ToString()).ConfigureAwait(false);
            Tell(terminal, json, new FailureDocument("internal", $"A fault in Duplex: {e.Message}", null,
                "Report it with the trace above."));
            return ExitCode.Failed;
        }
    }

    /// <summary>What is wrong with the command line. That a verb is missing says nothing beside a word that is none.</summary>
    private static string Wrong(ParseResult parsed)
    {
        var unknown = parsed.UnmatchedTokens;
        var messages = parsed.Errors.Select(static e => e.Message)
            .Where(m => unknown.Count == 0 || unknown.Any(t => m.Contains(t, StringComparison.Ordinal))).ToList();
        return string.Join(' ', messages.Count > 0 ? messages : parsed.Errors.Select(static e => e.Message));
    }

    /// <summary>The verb as it is typed, with a blank behind it; empty for none.</summary>
    private static string Typed(CommandResult result) => result.Command is RootCommand
        ? ""
        : $"{(result.Parent is CommandResult parent ? Typed(parent) : "")}{result.Command.Name} ";

    private static void Tell(Terminal terminal, bool json, FailureDocument failure)
    {
        if (json)
        {
            terminal.Json(failure);
        }
        else
        {
            FailureView.Write(terminal.Errors, failure);
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
            FeedVerb.Make(terminal), CustomersVerb.Make(terminal), MappingsVerb.Make(terminal), SchemasVerb.Make(terminal),
            ReplayVerb.Make(terminal),
        })
        {
            root.Subcommands.Add(verb);
        }

        return root;
    }
}
