using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Duplex.Cli.Demo;

/// <summary>Writes the demo's configuration, unless a person has edited the one that is there.</summary>
internal static class DemoConfig
{
    /// <returns>True if an edited file was kept.</returns>
    public static async Task<bool> WriteAsync(
        DemoOptions options, IReadOnlyDictionary<string, string> values, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.Folder);
        foreach (var (name, value) in values)
        {
            Environment.SetEnvironmentVariable($"DUPLEX_DEMO_{name.ToUpperInvariant()}", value);
        }

        var stamp = Path.Combine(options.Folder, ".generated");
        if (File.Exists(options.ConfigPath))
        {
            var present =
                Digest(await File.ReadAllTextAsync(options.ConfigPath, cancellationToken).ConfigureAwait(false));
            var generated = File.Exists(stamp)
                ? await File.ReadAllTextAsync(stamp, cancellationToken).ConfigureAwait(false)
                : null;
            if (present != generated)
            {
                return true;
            }
        }

        var text = Template(options.RestOnly ? "duplex.demo-rest.yaml" : "duplex.demo.yaml");
        foreach (var (name, value) in values)
        {
            text = text.Replace($"{{{name}}}", value, StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(options.ConfigPath, text, cancellationToken).ConfigureAwait(false);
        await File.WriteAllTextAsync(stamp, Digest(text), cancellationToken).ConfigureAwait(false);
        return false;
    }

    private static string Template(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static string Digest(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
