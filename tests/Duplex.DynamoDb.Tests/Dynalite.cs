using System.Diagnostics;
using Xunit;

namespace Duplex.DynamoDb.Tests;

/// <summary>
/// One dynalite for the whole test run, in memory. It is taken from the folder in <c>DYNALITE</c> (where
/// <c>npm install dynalite</c> was run), otherwise installed once into the user's cache.
/// </summary>
internal static class Dynalite
{
    private const string Version = "4.0.0";

    private const string Program = """
        const server = require(process.argv[1])({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
        server.listen(0, '127.0.0.1', () => console.log(server.address().port));
        process.stdin.on('end', () => process.exit(0)).resume();
        """;

    private static readonly Lazy<(Uri? Address, string? Missing)> Running = new(Start);

    // What is not referred to is finalized, which would end its input.
    private static Process? _process;

    /// <summary>Where it answers. Skips the test where it cannot run, except on a build machine.</summary>
    public static Uri Address
    {
        get
        {
            var (address, missing) = Running.Value;
            if (missing is not null && Environment.GetEnvironmentVariable("CI") == "true")
            {
                throw new InvalidOperationException(missing);
            }

            Skip.If(missing is not null, missing);
            return address!;
        }
    }

    private static (Uri? Address, string? Missing) Start()
    {
        try
        {
            if (Find() is not { } module)
            {
                return (null, "dynalite is not in the folder that DYNALITE names, and npm cannot install it");
            }

            // The process ends by itself when this one does: its input ends then.
            var start = new ProcessStartInfo("node") { RedirectStandardInput = true, RedirectStandardOutput = true };
            foreach (var argument in new[] { "-e", Program, module })
            {
                start.ArgumentList.Add(argument);
            }

            _process = Process.Start(start)!;
            var port = _process.StandardOutput.ReadLine();
            return port is null
                ? (null, "dynalite does not start")
                : (new Uri($"http://127.0.0.1:{port}"), null);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (null, $"node or npm is not installed: {e.Message}");
        }
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("DYNALITE") is { Length: > 0 } given)
        {
            return Module(given);
        }

        var cache = Path.Combine(
            Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create),
            "duplex-tests", $"dynalite-{Version}");
        Directory.CreateDirectory(cache);
        if (Module(cache) is { } there)
        {
            return there;
        }

        var start = new ProcessStartInfo("npm") { WorkingDirectory = cache, RedirectStandardOutput = true };
        string[] install = ["install", "--no-audit", "--no-fund", "--prefix", cache, $"dynalite@{Version}"];
        foreach (var argument in install)
        {
            start.ArgumentList.Add(argument);
        }

        using var npm = Process.Start(start)!;
        npm.StandardOutput.ReadToEnd();
        npm.WaitForExit();
        return npm.ExitCode == 0 ? Module(cache) : null;
    }

    private static string? Module(string folder) =>
        new[] { folder, Path.Combine(folder, "node_modules", "dynalite") }
            .FirstOrDefault(static f => File.Exists(Path.Combine(f, "index.js")));
}
