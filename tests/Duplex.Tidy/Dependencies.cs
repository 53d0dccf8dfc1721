namespace Duplex.Tidy;

/// <summary>
/// Which project may refer to which: Sdk ← Engine ← storage and brokers ← Server; connectors see the Sdk alone;
/// simulators stand beside it all; the console and the command line speak the public API through the client.
/// </summary>
internal static class Dependencies
{
    public static bool Allows(string from, string to) => (Part(from), Part(to)) switch
    {
        ("tests" or "bench", _) => true,
        (_, "tests" or "bench") => false,
        ("Duplex.Sdk", _) => false,
        ("Duplex.Engine", var target) => target is "Duplex.Sdk",
        ("storage", var target) => target is "Duplex.Sdk" or "Duplex.Engine",
        ("connectors", var target) => target is "Duplex.Sdk",
        ("simulators", var target) => target is "simulators",
        ("Duplex.Client", _) => false,
        ("Duplex.Console", var target) => target is "Duplex.Client",
        ("Duplex.Cli", var target) => target is "Duplex.Client" or "Duplex.Server" or "simulators",
        ("Duplex.Server", var target) => target is not ("Duplex.Cli" or "simulators"),
        _ => false,
    };

    private static string Part(string project)
    {
        string[] parts = project.Split('/');
        if (parts[0] != "src")
            return parts[0];
        return parts[1].StartsWith("Duplex.Storage.", StringComparison.Ordinal)
            || parts[1] is "Duplex.Kafka" or "Duplex.Redis" or "Duplex.DynamoDb"
            ? "storage"
            : parts[1];
    }
}
