using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Duplex.Simulators.Postgres;

/// <summary>
/// A PostgreSQL cluster of our own on a loopback port, ready for logical replication. It ends with the process that
/// started it, even when that process is killed. Methods are not to be called in parallel.
/// </summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(3);

    // The shell holds the server's life to ours: when our end of its standard input closes, for whatever reason, it
    // stops the server; when the server ends, the shell ends.
    private const string Keeper =
        "exec 3<&0; \"$@\" </dev/null 3<&- & p=$!; { read -r _; kill -INT $p; } <&3 & r=$!; wait $p; kill $r; exit 0";

    private readonly PostgresBinaries _binaries;
    private readonly PrivatePostgresOptions _options;
    private readonly bool _temporary;
    private Process? _keeper;

    private PrivatePostgres(PostgresBinaries binaries, PrivatePostgresOptions options, string directory, bool temporary)
    {
        _binaries = binaries;
        _options = options;
        Directory = directory;
        _temporary = temporary;
        Port = options.Port == 0 ? FreePort.Take() : options.Port;
    }

    /// <summary>Why there can be no private PostgreSQL on this machine; null if there can.</summary>
    public static string? Unavailable
    {
        get
        {
            PostgresBinaries.Find(out var reason);
            return reason;
        }
    }

    /// <summary>The cluster's directory; the server's log is <c>server.log</c> in it.</summary>
    public string Directory { get; }

    /// <summary>The loopback port.</summary>
    public int Port { get; private set; }

    /// <summary>The superuser.</summary>
    public string Username => _options.Username;

    /// <summary>The superuser's password.</summary>
    public string Password => _options.Password;

    /// <summary>Connects as superuser to the database <c>postgres</c>.</summary>
    public string ConnectionString => ConnectionStringFor("postgres");

    /// <summary>Creates the cluster if there is none, starts the server and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">There are no programs, or the server does not start; with its last
    /// words.</exception>
    public static async Task<PrivatePostgres> StartAsync(
        PrivatePostgresOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new PrivatePostgresOptions();
        var binaries = PostgresBinaries.Find(out var reason) ?? throw new InvalidOperationException(reason);
        var temporary = options.Directory is null;
        var directory = Path.GetFullPath(options.Directory ??
            Path.Combine(Path.GetTempPath(), "duplex-pg-" + Path.GetRandomFileName()));
        var server = new PrivatePostgres(binaries, options, directory, temporary);
        try
        {
            await server.PrepareDirectoryAsync(cancellationToken);
            await server.StartAsync(cancellationToken);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }

        return server;
    }

    /// <summary>Connects as superuser to the named database.</summary>
    public string ConnectionStringFor(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = _options.Username,
        Password = _options.Password,
        Database = database,
    }.ConnectionString;

    /// <summary>Creates a database and returns how to connect to it.</summary>
    /// <param name="name">Its name; null makes one up.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<string> CreateDatabaseAsync(string? name = null, CancellationToken cancellationToken = default)
    {
        name ??= "db_" + Path.GetRandomFileName().Replace(".", "", StringComparison.Ordinal);
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand($"CREATE DATABASE \"{name}\"");
        await command.ExecuteNonQueryAsync(cancellationToken);
        return ConnectionStringFor(name);
    }

    /// <summary>Stops the server and starts it again on the same port.</summary>
    /// <param name="immediate">Without a checkpoint and without goodbye, so that it recovers from its log; otherwise
    /// fast.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task RestartAsync(bool immediate = false, CancellationToken cancellationToken = default)
    {
        await StopAsync(immediate, cancellationToken);
        await StartAsync(cancellationToken);
    }

    /// <summary>Stops the server; connections are cut. Does nothing when it is stopped.</summary>
    public async Task StopAsync(bool immediate = false, CancellationToken cancellationToken = default)
    {
        if (ReadPid() is not null)
        {
            await PostgresBinaries.RunAsync(
                _binaries.Prepare("pg_ctl", ["stop", "-D", Directory, "-w", "-m", immediate ? "immediate" : "fast"]),
                cancellationToken);
        }

        await ReleaseKeeperAsync(cancellationToken);
    }

    /// <summary>
    /// Kills the postmaster with SIGKILL; <see cref="StartAsync(CancellationToken)"/> brings it back.
    /// </summary>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        var pid = ReadPid() ?? throw new InvalidOperationException("The server does not run.");
        using (var postmaster = Process.GetProcessById(pid))
        {
            postmaster.Kill();
            await postmaster.WaitForExitAsync(cancellationToken);
        }

        await ReleaseKeeperAsync(cancellationToken);
    }

    /// <summary>Starts a stopped or killed server on the same port and waits until it answers.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            Launch();
            if (await AnswersAsync(deadline, cancellationToken))
            {
                return;
            }

            // The server ended: the port was taken meanwhile, or the processes of a killed predecessor still hold its
            // memory.
            await ReleaseKeeperAsync(cancellationToken);
            if (deadline.Elapsed > StartDeadline)
            {
                throw new InvalidOperationException(
                    $"PostgreSQL did not start in {Directory}. Its last words: {LastWords()}");
            }

            if (_options.Port == 0 && !PortIsFree(Port))
            {
                Port = FreePort.Take();
            }
        }
    }

    /// <summary>Stops the server and removes a temporary cluster.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync(immediate: _temporary);
        }
        catch (InvalidOperationException)
        {
            // A server that is already gone cannot be stopped; the keeper below is all that is left of it.
        }

        await ReleaseKeeperAsync(CancellationToken.None);
        if (_temporary && System.IO.Directory.Exists(Directory))
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }

    private string PidFile => Path.Combine(Directory, "postmaster.pid");

    private string LogFile => Path.Combine(Directory, "server.log");

    private async Task PrepareDirectoryAsync(CancellationToken cancellationToken)
    {
        System.IO.Directory.CreateDirectory(Directory);
        if (File.Exists(Path.Combine(Directory, "PG_VERSION")))
        {
            if (ReadPid() is not null)
            {
                await StopAsync(immediate: false, cancellationToken);
            }

            return;
        }

        if (_binaries.Account is { } account)
        {
            await PostgresBinaries.RunAsync(new ProcessStartInfo("chown", [account, Directory]), cancellationToken);
        }

        var secret = Path.Combine(Path.GetTempPath(), "duplex-pw-" + Path.GetRandomFileName());
        await File.WriteAllTextAsync(secret, _options.Password + "\n", cancellationToken);
        try
        {
            if (_binaries.Account is { } owner)
            {
                await PostgresBinaries.RunAsync(new ProcessStartInfo("chown", [owner, secret]), cancellationToken);
            }

            await PostgresBinaries.RunAsync(
                _binaries.Prepare("initdb",
                [
                    "-D", Directory, "-U", _options.Username, $"--pwfile={secret}", "--auth=scram-sha-256",
                    "--encoding=UTF8", "--locale=C", "--no-sync",
                ]),
                cancellationToken);
        }
        finally
        {
            File.Delete(secret);
        }
    }

    private void Launch()
    {
        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = Port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = "",
            ["wal_level"] = "logical",
            ["max_wal_senders"] = "30",
            ["max_replication_slots"] = "30",
            ["max_connections"] = "200",
            ["fsync"] = _options.Durable ? "on" : "off",
            ["logging_collector"] = "off",
        };
        foreach (var (name, value) in _options.Settings)
        {
            settings[name] = value;
        }

        List<string> arguments =
        [
            "-c", $"exec 2>>'{LogFile}' >&2; {Keeper}", "keeper",
            Path.Combine(_binaries.Directory, "postgres"), "-D", Directory,
        ];
        foreach (var (name, value) in settings)
        {
            arguments.Add("-c");
            arguments.Add($"{name}={value}");
        }

        var start = _binaries.Prepare("/bin/sh", arguments);
        start.RedirectStandardInput = true;
        _keeper = Process.Start(start);
    }

    private async Task<bool> AnswersAsync(Stopwatch deadline, CancellationToken cancellationToken)
    {
        var probe = new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false, Timeout =
            5 }.ConnectionString;
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (deadline.Elapsed < StartDeadline)
        {
            try
            {
                await using var connection = new NpgsqlConnection(probe);
                await connection.OpenAsync(cancellationToken);
                return ReadPid() is not null;
            }
            catch (NpgsqlException)
            {
                if (_keeper is { HasExited: true })
                {
                    return false;
                }
            }

            await pace.WaitForNextTickAsync(cancellationToken);
        }

        return false;
    }

    private async Task ReleaseKeeperAsync(CancellationToken cancellationToken)
    {
        if (_keeper is { } keeper)
        {
            _keeper = null;
            keeper.StandardInput.Close();
            await keeper.WaitForExitAsync(cancellationToken);
            keeper.Dispose();
        }
    }

    private int? ReadPid()
    {
        try
        {
            var first = File.ReadLines(PidFile).FirstOrDefault();
            if (!int.TryParse(first, CultureInfo.InvariantCulture, out var pid))
            {
                return null;
            }

            using var process = Process.GetProcessById(pid);
            return process.ProcessName.StartsWith("post", StringComparison.Ordinal) ? pid : null;
        }
        catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private string LastWords()
    {
        try
        {
            return string.Join(" | ", File.ReadLines(LogFile).TakeLast(8));
        }
        catch (IOException)
        {
            return "(no log)";
        }
    }

    private static bool PortIsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
