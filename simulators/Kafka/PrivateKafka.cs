using System.Diagnostics;
using System.Globalization;

namespace Duplex.Simulators.Kafka;

/// <summary>
/// A Kafka broker of our own on a loopback port, which is its own controller. It ends with the process that started it,
/// even when that process is killed. Methods are not to be called in parallel.
/// </summary>
public sealed class PrivateKafka : IAsyncDisposable
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromMinutes(4);

    // The shell holds the broker's life to ours: when our end of its standard input closes, for whatever reason, it
    // kills the broker; when the broker ends, the shell ends. It tells the broker's process id first; its own name is the
    // file that takes what the broker says.
    private const string Keeper =
        "exec 3<&0; \"$@\" </dev/null 3<&- >>\"$0\" 2>&1 & p=$!; echo $p; " +
        "{ read -r _; kill -KILL $p; } <&3 & r=$!; wait $p; kill $r; exit 0";

    private readonly int _port = FreePort.Take();
    private readonly int _controllerPort = FreePort.Take();
    private readonly bool _temporary;
    private readonly string _settings;
    private Process? _keeper;
    private int _broker;

    private PrivateKafka(string? directory)
    {
        _temporary = directory is null;
        Directory = Path.GetFullPath(
            directory ?? Path.Combine(Path.GetTempPath(), "duplex-kafka-" + Path.GetRandomFileName()));
        _settings = Path.Combine(Directory, "server.properties");
    }

    /// <summary>Why there can be no private Kafka on this machine; null if there can.</summary>
    public static string? Unavailable => KafkaDistribution.Missing;

    /// <summary>The broker's directory; what it says is <c>server.log</c> in it.</summary>
    public string Directory { get; }

    /// <summary>Host and port.</summary>
    public string Bootstrap => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");

    /// <summary>Makes a broker and starts it.</summary>
    /// <param name="directory">Where it keeps its data, which stays; null for a directory that goes with it.</param>
    /// <exception cref="InvalidOperationException">There are no programs, or it does not start.</exception>
    public static async Task<PrivateKafka> CreateAsync(string? directory = null)
    {
        if (Unavailable is { } reason)
        {
            throw new InvalidOperationException(reason);
        }

        var kafka = new PrivateKafka(directory);
        try
        {
            await kafka.FormatAsync();
            await kafka.StartAsync();
        }
        catch
        {
            await kafka.DisposeAsync();
            throw;
        }

        return kafka;
    }

    /// <summary>Runs one of Kafka's own programs to its end, such as <c>kafka-topics.sh</c>; what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; with its last words.</exception>
    public static Task<string> RunAsync(string program, params string[] arguments) =>
        KafkaDistribution.RunAsync(program, arguments);

    /// <summary>Starts the broker on what its directory holds; returns when it answers.</summary>
    public async Task StartAsync()
    {
        var server = KafkaDistribution.Prepare("kafka-server-start.sh", []).FileName;
        var start = new ProcessStartInfo("sh", ["-c", Keeper, Path.Combine(Directory, "server.log"), server, _settings]);
        KafkaDistribution.Surround(start);
        _keeper = Process.Start(start)!;
        _broker = int.Parse((await _keeper.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
        var started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await MetadataProbe.AnswersAsync(_port))
        {
            if (_keeper.HasExited || Stopwatch.GetElapsedTime(started) > StartWithin)
            {
                throw new InvalidOperationException("The broker does not start: " + LastWords());
            }

            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Ends the broker as a lost machine would: nothing of it runs on. Does nothing when it does not
    /// run.</summary>
    public async Task KillAsync()
    {
        if (_keeper is null)
        {
            return;
        }

        // The shell does it, and ends with it.
        _keeper.StandardInput.Close();
        await EndAsync();
    }

    /// <summary>Lets the broker end in good order. Does nothing when it does not run.</summary>
    public async Task StopAsync()
    {
        if (_keeper is null)
        {
            return;
        }

        using (var kill = Process.Start("sh", ["-c", "kill -TERM \"$1\"", "sh", _broker.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        await EndAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        if (_temporary && System.IO.Directory.Exists(Directory))
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }

    private string LastWords()
    {
        var log = Path.Combine(Directory, "server.log");
        return File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(20)) : "it said nothing";
    }

    private async Task EndAsync()
    {
        await _keeper!.WaitForExitAsync();
        _keeper.Dispose();
        _keeper = null;
    }

    private async Task FormatAsync()
    {
        System.IO.Directory.CreateDirectory(Directory);
        if (File.Exists(_settings))
        {
            throw new InvalidOperationException($"{Directory} holds another broker's data.");
        }

        await File.WriteAllTextAsync(_settings, $"""
            process.roles=broker,controller
            node.id=1
            controller.quorum.voters=1@127.0.0.1:{_controllerPort}
            listeners=PLAINTEXT://127.0.0.1:{_port},CONTROLLER://127.0.0.1:{_controllerPort}
            advertised.listeners=PLAINTEXT://127.0.0.1:{_port}
            controller.listener.names=CONTROLLER
            log.dirs={Path.Combine(Directory, "data")}
            offsets.topic.replication.factor=1
            offsets.topic.num.partitions=4
            transaction.state.log.replication.factor=1
            transaction.state.log.num.partitions=4
            transaction.state.log.min.isr=1
            group.initial.rebalance.delay.ms=0
            group.min.session.timeout.ms=1000
            auto.create.topics.enable=false
            log.retention.check.interval.ms=1000
            log.segment.delete.delay.ms=100

            """);
        var id = "d" + Convert.ToBase64String(Guid.NewGuid().ToByteArray()).Replace('+', '-').Replace('/', '_')[1..22];
        await RunAsync("kafka-storage.sh", "format", "-t", id, "-c", _settings);
    }
}
