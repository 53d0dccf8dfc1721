using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Duplex.Bench;
using Duplex.Bench.Capture;
using Duplex.Bench.Delivery;
using Duplex.Bench.Feeds;
using Duplex.Bench.Ingest;
using Duplex.Bench.Logs;
using Duplex.Bench.Schemas;

if (args is [EngineProcess.Verb, var file])
    return await EngineProcess.HostAsync(file);
if (args is [IngestProcess.Verb, var kind, var directory])
    return await IngestProcess.HostAsync(kind, directory);
if (args is [BareClient.Verb, var address, var key, var records, var warmUp])
    return await BareClient.HostAsync(address, key, Number(records), Number(warmUp));
if (BenchOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(BenchOptions.Usage);
    return 3;
}

options = options with { DataDirectory =
    Path.Combine(options.DataDirectory, "duplex-bench-" + Path.GetRandomFileName()) };
Directory.CreateDirectory(options.DataDirectory);
List<Measurement> measurements = [];
foreach (string name in options.Names)
{
    Console.Error.WriteLine($"{name}: starting");
    IEnumerable<Measurement> measured = name switch
    {
        "capture" => [await CaptureBench.RunAsync(options)],
        "latency" => [await LatencyBench.RunAsync(options)],
        "ingest" => [await IngestBench.RunAsync(options)],
        "log" => await LogBench.RunAsync(options),
        "feed" => [await FeedBench.RunAsync(options)],
        "map" => MapBench.Run(options),
        "schemas" => SchemaBench.Run(options),
        "delivery" => await DeliveryBench.RunAsync(options),
        _ => throw new InvalidOperationException(name),
    };
    foreach (var measurement in measured)
    {
        Console.WriteLine(measurement);
        measurements.Add(measurement);
    }
}

Directory.Delete(options.DataDirectory, recursive: true);
if (options.JsonFile is not null)
{
    await File.WriteAllTextAsync(options.JsonFile, JsonSerializer.Serialize(new
    {
        at = DateTimeOffset.UtcNow,
        machine = new { cores = Environment.ProcessorCount, os = RuntimeInformation.OSDescription,
            runtime = RuntimeInformation.FrameworkDescription },
        measurements,
    }, new JsonSerializerOptions { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower })
        + "\n");
}

return 0;

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
