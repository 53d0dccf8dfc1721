using Duplex.Engine.Secrets;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>What the loader needs from outside.</summary>
public sealed record ConfigSources
{
    /// <summary>Every connector there is; <c>connector:</c> names one by <see cref="ConnectorSpec.Name"/>.</summary>
    public required IReadOnlyCollection<IConnector> Connectors { get; init; }

    /// <summary>Reads environment variables for <c>${env:NAME}</c>.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>Opens the secrets of a data directory for <c>${secret:name}</c>; called at most once per load, only
    /// when needed.</summary>
    public Func<string, ISecretStore> Secrets { get; init; } = static directory => new EmbeddedSecretStore(directory);
}

/// <summary>What a configuration file means, or why it cannot be used. Findings never hold secrets.</summary>
/// <param name="Model">The engine's part; null when a finding is an error.</param>
/// <param name="Server">The server's part; null when a finding is an error.</param>
/// <param name="Findings">Everything found, each with its line in <see cref="Finding.Location"/>.</param>
/// <param name="Places">The place of every node of the file, <c>duplex.yaml:12:7</c>, by JSON pointer.</param>
public sealed record ConfigResult(
    EngineModel? Model,
    ServerModel? Server,
    IReadOnlyList<Finding> Findings,
    IReadOnlyDictionary<string, string> Places)
{
    /// <summary>
    /// The file's place for a finding that another check made (its <see cref="Finding.Path"/>, or the nearest node
    /// above); null if none.
    /// </summary>
    public string? Locate(string? pointer) => ConfigReport.Locate(Places, pointer);
}
