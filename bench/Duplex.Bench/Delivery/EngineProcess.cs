using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Duplex.Connectors.Postgres;
using Duplex.Connectors.Stripe;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Storage.Embedded;
using Duplex.Storage.Embedded.Log;
using Duplex.Storage.Embedded.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.Bench.Delivery;

/// <summary>An engine on the embedded stores in a process of its own, so that its memory and processor time are its
/// own.</summary>
internal sealed class EngineProcess : IAsyncDisposable
{
    /// <summary>The hidden verb by which this program starts itself as the engine.</summary>
    public const string Verb = "engine-process";

    private readonly Process _process;

    private EngineProcess(Process process) => _process = process;

    public static async Task<EngineProcess> StartAsync(string directory, string yaml)
    {
        Directory.CreateDirectory(directory);
        string file = Path.Combine(directory, "duplex.yaml");
        await File.WriteAllTextAsync(file, yaml);
        string[] arguments = [typeof(EngineProcess).Assembly.Location, Verb, file];
        var process = Process.Start(new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        return await process.StandardOutput.ReadLineAsync() == "started"
            ? new EngineProcess(process)
            : throw new InvalidOperationException("The engine did not start.");
    }

    /// <summary>The most memory that it had resident, in megabytes.</summary>
    public double ResidentPeak() => Status("VmHWM:");

    /// <summary>The memory that it has resident, in megabytes.</summary>
    public double Resident() => Status("VmRSS:");

    public double ProcessorSeconds()
    {
        _process.Refresh();
        return _process.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>Ends it and returns what its memory cost in all.</summary>
    public async Task<MemoryCost> EndAsync()
    {
        _process.StandardInput.Close();
        string said = await _process.StandardOutput.ReadToEndAsync();
        await _process.WaitForExitAsync();
        return JsonSerializer.Deserialize<MemoryCost>(said)!;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>What the process does: runs the engine until its standard input ends.</summary>
    public static async Task<int> HostAsync(string file)
    {
        var config = ConfigLoader.LoadFile(file, new ConfigSources
        {
            Connectors = [new PostgresConnector(), new StripeConnector()],
        });
        if (config.Model is not { } model)
        {
            Console.Error.WriteLine(string.Join("\n", config.Findings.Select(f => $"{f.Code}: {f.Message}")));
            return 1;
        }

        await using var log = await EmbeddedChangeLog.OpenAsync(model.DataDirectory, new EmbeddedOptions());
        await using var store = await EmbeddedStateStore.OpenAsync(model.DataDirectory, new EmbeddedOptions());
        var parts = new EngineParts(
            model, log, store, new RateBudget(TimeProvider.System), TimeProvider.System, NullLoggerFactory.Instance);
        await using var engine = new SyncEngine(parts);
        await engine.StartAsync(CancellationToken.None);
        Console.WriteLine("started");
        await Console.In.ReadToEndAsync();
        await engine.StopAsync(CancellationToken.None);
        Console.WriteLine(JsonSerializer.Serialize(new MemoryCost(
            GC.GetTotalAllocatedBytes(), GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2),
            GC.GetTotalPauseDuration().TotalMilliseconds)));
        return 0;
    }

    private double Status(string name)
    {
        string line =
            File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) / 1024.0;
    }
}

/// <summary>What a process allocated, how often it collected each generation and everything below, and how long it
/// stood still for that.</summary>
internal sealed record MemoryCost(long Bytes, int Young, int Middle, int Old, double PauseMilliseconds);
