using System.Diagnostics;
using System.Globalization;

namespace Duplex.Simulators.Postgres;

/// <summary>The PostgreSQL programs on this machine, and the account under which they may run.</summary>
internal sealed record PostgresBinaries(string Directory, string? Account)
{
    /// <summary>Finds the programs: <c>PG_BIN</c>, then <c>PATH</c>, then the newest of Debian's folders.</summary>
    /// <returns>The programs, or null with the reason.</returns>
    public static PostgresBinaries? Find(out string? reason)
    {
        reason = null;
        if (OperatingSystem.IsWindows())
        {
            reason = "A private PostgreSQL needs Linux or macOS.";
            return null;
        }

        var directory = Candidates().FirstOrDefault(static d =>
            File.Exists(Path.Combine(d, "initdb")) && File.Exists(Path.Combine(d, "postgres")));
        if (directory is null)
        {
            reason = "PostgreSQL is not installed: no initdb in PG_BIN, PATH or /usr/lib/postgresql "
                + "(apt install postgresql).";
            return null;
        }

        if (!Environment.IsPrivilegedProcess)
        {
            return new PostgresBinaries(directory, null);
        }

        var account = AccountOfServer();
        if (account is null || !File.Exists("/usr/bin/setpriv"))
        {
            reason = "PostgreSQL refuses to run as root, and there is no account postgres or nobody "
                + "(or no setpriv) to run it.";
            return null;
        }

        return new PostgresBinaries(directory, account);
    }

    /// <summary>
    /// Prepares a program to run under the server's account, in a directory that the account can enter.
    /// </summary>
    public ProcessStartInfo Prepare(string program, IEnumerable<string> arguments)
    {
        var path = Path.IsPathRooted(program) ? program : Path.Combine(Directory, program);
        var start = new ProcessStartInfo { WorkingDirectory = "/", UseShellExecute = false };
        if (Account is null)
        {
            start.FileName = path;
        }
        else
        {
            start.FileName = "/usr/bin/setpriv";
            foreach (var argument in (string[])[$"--reuid={Account}", $"--regid={Account}", "--init-groups", "--",
                path])
            {
                start.ArgumentList.Add(argument);
            }
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["LC_ALL"] = "C";
        return start;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds what it said.</exception>
    public static async Task RunAsync(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            var said = await output + await errors;
            var command = string.Join(' ', start.ArgumentList);
            var code = process.ExitCode.ToString(CultureInfo.InvariantCulture);
            throw new InvalidOperationException($"{command} ended with {code}: {said}");
        }
    }

    private static IEnumerable<string> Candidates()
    {
        if (Environment.GetEnvironmentVariable("PG_BIN") is { Length: > 0 } given)
        {
            yield return given;
        }

        const string debian = "/usr/lib/postgresql";
        if (System.IO.Directory.Exists(debian))
        {
            var versions = System.IO.Directory.GetDirectories(debian).OrderByDescending(static d =>
                int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var version) ? version : 0);
            foreach (var version in versions)
            {
                yield return Path.Combine(version, "bin");
            }
        }

        foreach (var directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
        {
            yield return directory;
        }
    }

    private static string? AccountOfServer()
    {
        var accounts = File.ReadLines("/etc/passwd").Select(static line => line.Split(':')[0]).ToHashSet();
        return accounts.Contains("postgres") ? "postgres" : accounts.Contains("nobody") ? "nobody" : null;
    }
}
