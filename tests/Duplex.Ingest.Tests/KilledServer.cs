using System.Diagnostics;
using System.Net;
using System.Text;
using Duplex.Simulators;

namespace Duplex.Ingest.Tests;

/// <summary>The real server in a process of its own, which can be killed.</summary>
internal sealed class KilledServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly HttpClient _http;
    private readonly string _config;
    private readonly StringBuilder _said = new();
    private Process? _process;

    public KilledServer()
    {
        Folder = Directory.CreateTempSubdirectory("duplex-ingest-").FullName;
        var port = FreePort.Take();
        _config = Path.Combine(Folder, "duplex.yaml");
        File.WriteAllText(_config, IngestServer.Yaml(dataPort: port, controlPort: FreePort.Take()));
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    }

    public string Folder { get; }

    public void Start()
    {
        _process?.Dispose();
        _process = Process.Start(new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "duplex.dll"), "run", "--config", _config])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_said)
            {
                _said.AppendLine(line.Data);
            }
        };
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        lock (_said)
        {
            _process!.HasExited.ShouldBeFalse(_said.ToString());
        }

        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Posts the same event until it is acknowledged.</summary>
    public async Task PostUntilTakenAsync(string body)
    {
        var began = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            try
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using var response = await _http.PostAsync("/sync", content);
                response.StatusCode.ShouldBe(HttpStatusCode.OK);
                return;
            }
            catch (HttpRequestException) when (Stopwatch.GetElapsedTime(began) < Patience)
            {
                await timer.WaitForNextTickAsync();
            }
        }
    }

    public Task UntilHealthyAsync() => PostUntilTakenAsync(Events.Ticket);

    public async Task UntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!condition())
        {
            await timer.WaitForNextTickAsync(deadline.Token);
        }
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
        Directory.Delete(Folder, recursive: true);
    }
}
