using System.Text.RegularExpressions;

namespace Duplex.Cli;

/// <summary>What people type for the <c>duplex</c> command: where it is started by a script of another name, hints use
/// that name, so that they work as printed.</summary>
internal static partial class CommandName
{
    private const string Verbs = "run|demo|init|doctor|validate|plan|status|trace|dlq|pause|resume|resnapshot|conflicts|secrets";

    public static string Own { get; } =
        Environment.GetEnvironmentVariable("DUPLEX_COMMAND") is { Length: > 0 } name ? name : "duplex";

    /// <summary>A text for people with the commands in it as they are typed here.</summary>
    public static string In(string text) => Own == "duplex" ? text : Written().Replace(text, Own);

    [GeneratedRegex($@"(?<![\w./-])duplex(?= (({Verbs})\b|--help))")]
    private static partial Regex Written();
}
