using System.Diagnostics;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>A running <see cref="ChildProgram"/> and what it said.</summary>
internal sealed class Child : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);
    private readonly Process _process;
    private readonly Dictionary<int, long> _acknowledged = [];
    private readonly List<string> _other = [];

    private Child(Process process) => _process = process;

    /// <summary>Lines that are not acknowledgements.</summary>
    public IReadOnlyList<string> Said => _other;

    /// <summary>The last number that the store acknowledged to each writer.</summary>
    public IReadOnlyDictionary<int, long> Acknowledged => _acknowledged;

    /// <summary>The process's number.</summary>
    public int Id => _process.Id;

    /// <summary>Starts the program, under strace with the given arguments if there are any.</summary>
    public static Child Start(string mode, string directory, params string[] strace)
    {
        var start = new ProcessStartInfo { RedirectStandardOutput = true, RedirectStandardInput =
            true, RedirectStandardError = true };
        string[] program = ["dotnet", "exec", typeof(ChildProgram).Assembly.Location, mode, directory];
        string[] command = strace.Length == 0
            ? program : ["strace", "-f", "-qq", "-o", "/dev/null", .. strace, .. program];
        start.FileName = command[0];
        foreach (var argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        return new Child(process);
    }

    /// <summary>Listens until the child has told of so many acknowledgements or said anything else.</summary>
    public async Task ListenAsync(int acknowledgements)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        for (var heard = 0; heard < acknowledgements; heard++)
        {
            if (!await HearAsync(deadline.Token) || _other.Count > 0)
            {
                return;
            }
        }
    }

    /// <summary>Kills the child with SIGKILL and hears the rest of what it said.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await ListenToEndAsync();
    }

    /// <summary>Listens until the child has ended by itself, and returns its exit code.</summary>
    public async Task<int> ListenToEndAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (await HearAsync(deadline.Token))
        {
        }

        await _process.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private async Task<bool> HearAsync(CancellationToken cancellationToken)
    {
        var line = await _process.StandardOutput.ReadLineAsync(cancellationToken);
        if (line is null)
        {
            return false;
        }

        var words = line.Split(' ');
        if (words is ["stored", var writer, var number] && long.TryParse(number, out var n))
        {
            _acknowledged[int.Parse(writer)] = n;
        }
        else
        {
            _other.Add(line);
        }

        return true;
    }
}
