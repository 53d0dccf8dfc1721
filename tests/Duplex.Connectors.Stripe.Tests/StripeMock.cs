using System.Diagnostics;
using System.Runtime.Versioning;

namespace Duplex.Connectors.Stripe.Tests;

/// <summary>
/// The vendor's own request checker: stateless, refuses what Stripe's OpenAPI document refuses. Found by STRIPE_MOCK
/// (the program or its .xz), or beside the repository.
/// </summary>
public sealed class StripeMock : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly string _directory = Directory.CreateTempSubdirectory("duplex-stripe-mock").FullName;
    private Process? _process;

    /// <summary>Where it listens; null when there is none.</summary>
    public Uri? Address { get; private set; }

    public async Task InitializeAsync()
    {
        if (OperatingSystem.IsWindows() || Find() is not { } program)
        {
            return;
        }

        if (program.EndsWith(".xz", StringComparison.Ordinal))
        {
            var unpacked = Path.Combine(_directory, "stripe-mock");
            await UnpackAsync(program, unpacked);
            program = unpacked;
        }

        _process = Process.Start(
            new ProcessStartInfo(program, ["-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Address = await AddressAsync(_process).WaitAsync(Patience);
        _process.BeginErrorReadLine();
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private static async Task<Uri> AddressAsync(Process process)
    {
        const string announcement = "Listening for HTTP at address: ";
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains(announcement, StringComparison.Ordinal))
            {
                process.StandardOutput.BaseStream.CopyToAsync(Stream.Null).GetAwaiter();
                return new Uri("http://"
                    + line[(line.IndexOf(announcement, StringComparison.Ordinal) + announcement.Length)..]);
            }
        }

        throw new InvalidOperationException("stripe-mock ended before it listened.");
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("STRIPE_MOCK") is { Length: > 0 } given)
        {
            string[] named = [given, Path.Combine(given, "stripe-mock"), Path.Combine(given, "stripe-mock.xz")];
            return named.FirstOrDefault(File.Exists)
                ?? throw new FileNotFoundException("STRIPE_MOCK names neither the program nor its folder.", given);
        }

        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var beside = Path.Combine(at.FullName, "shared", "stripe-mock", "stripe-mock.xz");
            if (File.Exists(beside))
            {
                return beside;
            }
        }

        return null;
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task UnpackAsync(string packed, string unpacked)
    {
        using var xz = Process.Start(new ProcessStartInfo("xz", ["-dc", packed]) { RedirectStandardOutput = true })!;
        await using (var file = File.Create(unpacked))
        {
            await xz.StandardOutput.BaseStream.CopyToAsync(file);
        }

        await xz.WaitForExitAsync();
        File.SetUnixFileMode(unpacked, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
