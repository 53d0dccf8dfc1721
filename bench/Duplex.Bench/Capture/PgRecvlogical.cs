using System.Diagnostics;
using Duplex.Simulators.Postgres;
using Npgsql;

namespace Duplex.Bench.Capture;

/// <summary>PostgreSQL's own client for logical replication, writing to a file: as fast as anything on this machine
/// gets.</summary>
internal static class PgRecvlogical
{
    /// <summary>Receives everything that the slot has up to the position and returns the seconds that it
    /// took.</summary>
    public static async Task<double> ReceiveAsync(PrivatePostgres server, string database, string slot,
        string endPosition, string file)
    {
        var start = new ProcessStartInfo(Find(),
        [
            "--host=127.0.0.1", $"--port={server.Port}", $"--username={server.Username}", $"--dbname={database}",
                $"--slot={slot}",
            "--start", "--no-loop", $"--endpos={endPosition}", $"--file={file}", "--option=proto_version=1",
            $"--option=publication_names={CaptureTable.Publication}",
        ])
        {
            RedirectStandardError = true,
        };
        start.Environment["PGPASSWORD"] = server.Password;
        long began = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        string said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return process.ExitCode == 0
            ? seconds
            : throw new InvalidOperationException($"pg_recvlogical ended with {process.ExitCode}: {said}");
    }

    public static async Task MakeSlotAsync(NpgsqlDataSource source, string slot)
    {
        await using var command = source.CreateCommand("SELECT pg_create_logical_replication_slot($1, 'pgoutput')");
        command.Parameters.AddWithValue(slot);
        await command.ExecuteNonQueryAsync();
    }

    private static string Find()
    {
        const string debian = "/usr/lib/postgresql";
        IEnumerable<string> folders =
        [
            Environment.GetEnvironmentVariable("PG_BIN") ?? "",
            .. Directory.Exists(debian)
                ? Directory.GetDirectories(debian).OrderDescending().Select(d => Path.Combine(d, "bin"))
                : [],
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'),
        ];
        return folders.Where(f => f.Length > 0).Select(f => Path.Combine(f, "pg_recvlogical"))
            .FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("pg_recvlogical is not installed (apt install postgresql).");
    }
}
