using System.Diagnostics;
using Duplex.Engine.Config;
using Duplex.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.Bench.Ingest;

/// <summary>A server that takes posts, Duplex or the bare one, in a process of its own.</summary>
internal sealed class IngestProcess : IAsyncDisposable
{
    /// <summary>The hidden verb by which this program starts itself as the server.</summary>
    public const string Verb = "ingest-process";

    private const string Schema =
        """
        {"$schema":"http://json-schema.org/draft-07/schema#","type":"object","required":["event_type","table","primary_key"],
         "properties":{"event_type":{"enum":["INSERT","UPDATE","DELETE"]},"table":{"const":"users"},
         "primary_key":{"type":"object","properties":{"id":{"type":"integer"}},"required":["id"]},
         "after":{"type":"object","properties":{"id":{"type":"integer"},"name":{"type":"string"},"email":{"type":"string"}}}},
         "allOf":[{"if":{"properties":{"event_type":{"const":"INSERT"}}},"then":{"required":["after"]}}]}
        """;

    private readonly Process _process;

    private IngestProcess(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    public double ProcessorSeconds
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalSeconds;
        }
    }

    public double ResidentMegabytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1048576.0;
        }
    }

    public static async Task<IngestProcess> StartAsync(string kind, string directory)
    {
        Directory.CreateDirectory(directory);
        string[] arguments = [typeof(IngestProcess).Assembly.Location, Verb, kind, directory];
        var process = Process.Start(new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        return int.TryParse(await process.StandardOutput.ReadLineAsync(), out int port)
            ? new IngestProcess(process, port)
            : throw new InvalidOperationException($"The {kind} server did not start.");
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>What the process does: serves until its standard input ends.</summary>
    public static async Task<int> HostAsync(string kind, string directory)
    {
        if (kind == "bare")
        {
            await using var bare = await BareIngest.StartAsync(directory);
            Console.WriteLine(bare.Address.Port);
            await Console.In.ReadToEndAsync();
            return 0;
        }

        string schemas = Directory.CreateDirectory(Path.Combine(directory, "schemas", "internal")).FullName;
        await File.WriteAllTextAsync(Path.Combine(schemas, "users.json"), Schema);
        var config = ConfigLoader.Load(
            "server: { data_plane: \"127.0.0.1:0\", control_plane: \"127.0.0.1:0\" }\ningest: {}\n",
            Path.Combine(directory, "duplex.yaml"), new ConfigSources { Connectors = ConnectorCatalog.Standard.All });
        await using var host = await ServerHost.StartAsync(
            config.Model!, config.Server!, ConnectorCatalog.Standard, NullLoggerFactory.Instance, CancellationToken.None);
        Console.WriteLine(host.DataAddress.Port);
        await Console.In.ReadToEndAsync();
        await host.StopAsync();
        return 0;
    }
}
