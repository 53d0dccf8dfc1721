using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Duplex.Simulators;

namespace Duplex.EndToEnd.Tests;

/// <summary>The real server in a process of its own, which can be killed.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly string _config;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly StringBuilder _said = new();
    private Process? _process;

    /// <summary>A server whose configuration is written into the folder, with its <c>server</c> section put in.</summary>
    public ServerProcess(string folder, Func<string, string> yaml)
    {
        DataPort = FreePort.Take();
        ControlPort = FreePort.Take();
        _config = Path.Combine(folder, "duplex.yaml");
        File.WriteAllText(_config, yaml(string.Create(CultureInfo.InvariantCulture,
            $"server: {{ data_plane: \"127.0.0.1:{DataPort}\", control_plane: \"127.0.0.1:{ControlPort}\", log_level: warning }}")));
    }

    public ServerProcess(Bed bed)
        : this(bed.Data, bed.Yaml)
    {
        bed.RunsOutside = true;
        bed.Stripe.AddWebhook(new Uri(string.Create(CultureInfo.InvariantCulture,
            $"http://127.0.0.1:{DataPort}/webhooks/acme/billing")), ["whsec_test"]);
    }

    public int DataPort { get; }

    public int ControlPort { get; }

    /// <summary>How often it was killed while it ran.</summary>
    public int Kills { get; private set; }

    public bool HasExited => _process is null or { HasExited: true };

    public string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    /// <summary>Starts it, under strace with the given arguments if there are any.</summary>
    public void Start(params string[] strace)
    {
        string[] server = ["dotnet", Path.Combine(AppContext.BaseDirectory, "duplex.dll"), "run", "--config", _config];
        string[] command = strace.Length == 0 ? server : ["strace", "-f", "-qq", "-o", "/dev/null", .. strace, .. server];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process!.HasExited.ShouldBeFalse(Said);
        _process.Kill();
        await _process.WaitForExitAsync();
        Kills++;
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        // The shell's own: a program of that name is not on every machine.
        using var kill = Process.Start(
            "sh", ["-c", "kill -TERM \"$1\"", "sh", _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Waits until it has ended by itself; returns the exit code.</summary>
    public async Task<int> EndAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        await _process!.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    public long ResidentBytes()
    {
        _process!.Refresh();
        return _process.WorkingSet64;
    }

    /// <summary>The status document; null while the server does not answer.</summary>
    public async Task<JsonElement?> StatusAsync()
    {
        try
        {
            var text = await _http.GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture,
                $"http://127.0.0.1:{ControlPort}/v1/status")));
            return JsonElement.Parse(text);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    /// <summary>Posts to the control plane; returns the status.</summary>
    public async Task<int> PostAsync(string path)
    {
        using var answer = await _http.PostAsync(new Uri(string.Create(CultureInfo.InvariantCulture,
            $"http://127.0.0.1:{ControlPort}{path}")), null);
        return (int)answer.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        _http.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is not null)
        {
            lock (_said)
            {
                _said.AppendLine(line);
            }
        }
    }
}
