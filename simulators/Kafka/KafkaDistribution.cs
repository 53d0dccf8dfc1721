using System.Diagnostics;

namespace Duplex.Simulators.Kafka;

/// <summary>Apache Kafka's programs: from <c>KAFKA_HOME</c>, or from <c>shared/kafka</c> beside the repository.</summary>
internal static class KafkaDistribution
{
    /// <summary>Why there are none; null if there are.</summary>
    public static string? Missing { get; } = Find() switch
    {
        null => "KAFKA_HOME is not set, and there is no shared/kafka beside the repository",
        _ when !HasJava() => "there is no java",
        _ => null,
    };

    /// <summary>How a program is begun.</summary>
    public static ProcessStartInfo Prepare(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Find()!, "bin", program), arguments);
        Surround(start);
        return start;
    }

    /// <summary>Gives a process that begins one of the programs what they want to find around them.</summary>
    public static void Surround(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.Environment["KAFKA_HEAP_OPTS"] = "-Xms128m -Xmx512m";
        start.Environment["LOG_DIR"] = Path.GetTempPath();
    }

    /// <summary>Runs a program to its end; what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; with its last words.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(Prepare(program, arguments))!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output
            : throw new InvalidOperationException($"{program}: {output}{await errors}");
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
}
