using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Confluent.Kafka;
using Duplex.Kafka.Clients;
using Xunit;

namespace Duplex.Kafka.Tests;

/// <summary>
/// A real broker on loopback, from <c>KAFKA_HOME</c> or from <c>shared/kafka</c> beside the repository. One for all tests;
/// every test has a prefix of its own.
/// </summary>
public sealed class KafkaBroker : IAsyncLifetime
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(60);
    private readonly string _directory = Directory.CreateTempSubdirectory("duplex-kafka-").FullName;
    private readonly int _port = FreePort();
    private readonly int _controllerPort = FreePort();
    private Process? _process;

    /// <summary>Why there is no broker; null if there is one.</summary>
    public static string? Unavailable { get; } = Find() switch
    {
        null => "KAFKA_HOME is not set, and there is no shared/kafka beside the repository",
        _ when !HasJava() => "there is no java",
        _ => null,
    };

    public string Bootstrap => $"127.0.0.1:{_port}";

    private static string Home => Find()!;

    /// <summary>Skips the test, or in continuous integration fails it, where there is no broker.</summary>
    public static void Require()
    {
        if (Unavailable is not null && Environment.GetEnvironmentVariable("CI") == "true")
        {
            throw new InvalidOperationException(Unavailable);
        }

        Skip.If(Unavailable is not null, Unavailable);
    }

    public async Task InitializeAsync()
    {
        if (Unavailable is not null)
        {
            return;
        }

        var settings = Path.Combine(_directory, "server.properties");
        await File.WriteAllTextAsync(settings, $"""
            process.roles=broker,controller
            node.id=1
            controller.quorum.voters=1@127.0.0.1:{_controllerPort}
            listeners=PLAINTEXT://127.0.0.1:{_port},CONTROLLER://127.0.0.1:{_controllerPort}
            advertised.listeners=PLAINTEXT://127.0.0.1:{_port}
            controller.listener.names=CONTROLLER
            log.dirs={Path.Combine(_directory, "data")}
            offsets.topic.replication.factor=1
            offsets.topic.num.partitions=4
            transaction.state.log.replication.factor=1
            transaction.state.log.num.partitions=4
            transaction.state.log.min.isr=1
            group.initial.rebalance.delay.ms=0
            auto.create.topics.enable=false
            log.retention.check.interval.ms=1000
            log.segment.delete.delay.ms=100

            """);
        var id = (await RunAsync("kafka-storage.sh", "random-uuid")).Trim();
        await RunAsync("kafka-storage.sh", "format", "-t", id, "-c", settings);
        await StartAsync();
    }

    /// <summary>Starts the broker on what its directory holds; returns when it answers.</summary>
    public async Task StartAsync()
    {
        _process = Process.Start(Tool("kafka-server-start.sh", Path.Combine(_directory, "server.properties")))!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Librdkafka.Require();
        using var admin = new AdminClientBuilder([new("bootstrap.servers", Bootstrap)])
            .SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();
        var started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!Answers(admin))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(started) > StartWithin)
            {
                throw new TimeoutException("The broker did not start.");
            }

            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Ends the broker as a lost machine would: nothing of it runs on.</summary>
    public async Task KillAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
            _process = null;
        }
    }

    /// <summary>What a tool of Kafka's prints.</summary>
    public static async Task<string> RunAsync(string tool, params string[] arguments)
    {
        using var process = Process.Start(Tool(tool, arguments))!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output
            : throw new InvalidOperationException($"{tool}: {output}{await errors}");
    }

    public async Task DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static bool Answers(IAdminClient admin)
    {
        try
        {
            return admin.GetMetadata(TimeSpan.FromSeconds(2)).Brokers.Count > 0;
        }
        catch (KafkaException)
        {
            return false;
        }
    }

    private static ProcessStartInfo Tool(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Home, "bin", name), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KAFKA_HEAP_OPTS"] = "-Xms128m -Xmx512m";
        start.Environment["LOG_DIR"] = Path.GetTempPath();
        return start;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("KAFKA_HOME") is { Length: > 0 } home)
        {
            return home;
        }

        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var beside = Path.Combine(at.FullName, "shared", "kafka");
            if (File.Exists(Path.Combine(beside, "bin", "kafka-server-start.sh")))
            {
                return beside;
            }
        }

        return null;
    }

    private static bool HasJava() => Environment.GetEnvironmentVariable("JAVA_HOME") is { Length: > 0 }
        || (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Any(static folder => File.Exists(Path.Combine(folder, "java")));

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return int.Parse(
            listener.LocalEndpoint.ToString()!.Split(':')[^1], CultureInfo.InvariantCulture);
    }
}

[CollectionDefinition(Name)]
public sealed class KafkaCollection : ICollectionFixture<KafkaBroker>
{
    public const string Name = "kafka";
}
