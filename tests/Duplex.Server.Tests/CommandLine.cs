using System.Text.Json;
using Duplex.Cli;
using Shouldly;

namespace Duplex.Server.Tests;

/// <summary>Runs the duplex command in this process.</summary>
internal static class CommandLine
{
    public static Task<Outcome> RunAsync(params string[] arguments) => RunAsync(arguments, CancellationToken.None);

    /// <summary>Runs it until the token asks it to stop, as a signal does.</summary>
    public static async Task<Outcome> RunAsync(string[] arguments, CancellationToken stop, string input = "")
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var terminal = new Terminal(output, errors, new StringReader(input), screen: false);
        var code = await DuplexCommand.RunAsync(arguments, terminal, stop);
        return new Outcome(code, output.ToString(), errors.ToString());
    }

    internal sealed record Outcome(int Code, string Output, string Errors)
    {
        /// <summary>The output, which must be one JSON document.</summary>
        public JsonElement Json
        {
            get
            {
                try
                {
                    return JsonElement.Parse(Output);
                }
                catch (JsonException e)
                {
                    throw new ShouldAssertException($"Not JSON ({e.Message}): {Output}{Errors}");
                }
            }
        }
    }
}
