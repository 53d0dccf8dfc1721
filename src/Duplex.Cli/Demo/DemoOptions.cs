namespace Duplex.Cli.Demo;

/// <summary>How the demo runs.</summary>
/// <param name="Folder">The absolute path of the folder that holds its configuration and data.</param>
/// <param name="Once">Exit after the story.</param>
/// <param name="RestOnly">Use two simulated Stripe accounts and no PostgreSQL.</param>
internal sealed record DemoOptions(string Folder, bool Once, bool RestOnly)
{
    public string ConfigPath => Path.Combine(Folder, "duplex.yaml");

    public string DataDirectory => Path.Combine(Folder, "data");
}
