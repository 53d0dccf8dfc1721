using System.Diagnostics;
using Duplex.Simulators.Stripe.Limits;

namespace Duplex.Simulators.Stripe.Tests.OfficialClient;

public sealed class OfficialClientTests
{
    private const string ClientVersion = "23.1.0";

    [SkippableFact]
    public async Task The_vendors_node_client_works_against_the_simulator()
    {
        var folder = await InstallAsync();
        await using var simulator = await StripeSimulator.StartAsync(new()
        {
            Limits = StripeLimits.None,
            RestrictedKeys = new Dictionary<string, IReadOnlyCollection<string>>
            {
                ["rk_test_reader"] = ["customers:read"],
            },
        });
        File.Copy(
            Path.Combine(AppContext.BaseDirectory, "OfficialClient", "official-client.mjs"),
            Path.Combine(folder, "official-client.mjs"),
            overwrite: true);
        var (exit, output) = await RunAsync(
            folder, "node", "official-client.mjs", $"{simulator.BaseAddress.Port}", simulator.ApiKey, "whsec_current");
        exit.ShouldBe(0, output);
        output.Split('\n').Count(static line => line.StartsWith("held: ")).ShouldBe(7, output);
    }

    private static async Task<string> InstallAsync()
    {
        var folder = Path.Combine(Path.GetTempPath(), "duplex-stripe-client-" + ClientVersion);
        Directory.CreateDirectory(folder);
        var manifest = Path.Combine(folder, "node_modules", "stripe", "package.json");
        if (!File.Exists(manifest))
        {
            var (exit, output) = await RunAsync(
                folder, "npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "stripe@" + ClientVersion);
            SkipUnless(exit == 0 && File.Exists(manifest), "npm could not install the client: " + output);
        }

        return folder;
    }

    private static async Task<(int Exit, string Output)> RunAsync(
        string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            SkipUnless(false, $"{program} cannot be run: {missing.Message}");
            throw;
        }

        using (process)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            var errors = process.StandardError.ReadToEndAsync(deadline.Token);
            try
            {
                await process.WaitForExitAsync(deadline.Token);
                return (process.ExitCode, await output + await errors);
            }
            finally
            {
                if (!process.HasExited)
                {
                    process.Kill(entireProcessTree: true);
                }
            }
        }
    }

    private static void SkipUnless(bool condition, string reason) => Skip.IfNot(condition, reason);
}
