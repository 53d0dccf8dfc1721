using System.Diagnostics;
using System.Text;
using Duplex.Cli;
using Duplex.Simulators.Postgres;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

/// <summary>The lines that the demo prints for another terminal, run by a shell there.</summary>
[Collection("Demo")]
public sealed class DemoCommandTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly string _folder = Directory.CreateTempSubdirectory("duplex-demo-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public async Task The_commands_that_the_demo_prints_work_as_printed()
    {
        if (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Skip.If(PrivatePostgres.Unavailable is not null, PrivatePostgres.Unavailable);
            Skip.IfNot(OnPath("psql") && OnPath("curl"), "psql or curl is not installed.");
        }

        using var stop = new CancellationTokenSource();
        using var output = new Transcript();
        using var errors = new Transcript();
        var demo = DuplexCommand.RunAsync(
            ["demo", "--folder", _folder], new Terminal(output, errors, TextReader.Null, screen: false), stop.Token);
        await RunningServer.UntilAsync(
            () => Task.FromResult(demo.IsCompleted || output.ToString().Contains("Running until", StringComparison.Ordinal)),
            "the demo has told its story");
        demo.IsCompleted.ShouldBeFalse($"{output}{errors}");

        var lines = output.ToString().Split('\n').SkipWhile(static l => !l.StartsWith("Try,", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(static l => l.StartsWith("  ", StringComparison.Ordinal)).ToList();
        string[] said =
        [
            "UPDATE 1", "\"city\":\"Oxford\"", "\"name\":\"Ada King\"", "Ada King", "Ada King", "ready: data moves",
            "\"name\":\"No Mail\"", "sink.rejected", "create", "\"ready\":true",
        ];
        lines.Count.ShouldBe(said.Length, string.Join('\n', lines));
        foreach (var (line, answer) in lines.Zip(said))
        {
            await SaysAsync(line, answer);
        }

        await stop.CancelAsync();
        (await demo).ShouldBe(0, $"{errors}");
    }

    private static bool OnPath(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(d => File.Exists(Path.Combine(d, program)));

    /// <summary>Runs a line until it answers so: what it asks for may still be on its way.</summary>
    private static async Task SaysAsync(string line, string answer)
    {
        // The one line that creates something runs once.
        if (line.Contains("'No Mail'", StringComparison.Ordinal))
        {
            (await ShellAsync(line)).ShouldContain(answer);
            return;
        }

        var said = "";
        using var deadline = new CancellationTokenSource(Patience);
        while (!(said = await ShellAsync(line)).Contains(answer, StringComparison.Ordinal))
        {
            deadline.IsCancellationRequested.ShouldBeFalse($"{line}\nsays\n{said}");
        }
    }

    private static async Task<string> ShellAsync(string line)
    {
        var duplex = $"duplex() {{ dotnet '{AppContext.BaseDirectory}duplex.dll' \"$@\"; }}";
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", $"{duplex}\n{line}"])
        {
            WorkingDirectory = Path.GetTempPath(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = shell.StandardError.ReadToEndAsync();
        var said = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return said + await errors;
    }

    /// <summary>What a command has written so far, readable meanwhile.</summary>
    private sealed class Transcript : TextWriter
    {
        private readonly StringBuilder _text = new();

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            lock (_text)
            {
                _text.Append(value);
            }
        }

        public override string ToString()
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }
    }
}
