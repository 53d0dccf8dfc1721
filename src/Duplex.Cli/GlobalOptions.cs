using System.CommandLine;

namespace Duplex.Cli;

/// <summary>The options that every verb takes.</summary>
internal static class GlobalOptions
{
    public static Option<string> Config { get; } = new("--config", "-c")
    {
        Description = "The configuration file. Default: $DUPLEX_CONFIG, else ./duplex.yaml.",
        Recursive = true,
        DefaultValueFactory = static _ => Environment.GetEnvironmentVariable("DUPLEX_CONFIG") ?? "duplex.yaml",
    };

    public static Option<string?> Url { get; } = new("--url")
    {
        Description =
            "The server's control plane. Default: $DUPLEX_URL, else as configured, else http://127.0.0.1:8000.",
        Recursive = true,
    };

    public static Option<string?> ApiKeyFile { get; } = new("--api-key-file")
    {
        Description = "A file that holds the API key. Default: the key in $DUPLEX_API_KEY.",
        Recursive = true,
    };

    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Write JSON instead of tables.",
        Recursive = true,
    };
}
