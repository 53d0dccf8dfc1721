using System.Globalization;
using Npgsql;

namespace Duplex.Bench.Capture;

/// <summary>A table of ten columns of the usual types, filled in transactions of a thousand rows.</summary>
internal static class CaptureTable
{
    public const string Name = "public.bench_rows";
    public const string Publication = "bench";
    private const int RowsPerTransaction = 1000;

    public static async Task CreateAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand($"""
            CREATE TABLE {Name} (
              id bigint PRIMARY KEY, email text NOT NULL, name text, plan text, balance numeric(12,2), active boolean,
              visits integer, created_at timestamptz, birthday date, notes text);
            CREATE PUBLICATION {Publication} FOR TABLE {Name};
            """);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Inserts the rows and returns the position of the log after them.</summary>
    public static async Task<string> FillAsync(NpgsqlDataSource source, int rows)
    {
        int transactions = Math.Max(1, rows / RowsPerTransaction);
        await using var fill = source.CreateCommand(string.Create(CultureInfo.InvariantCulture, $"""
            DO $$ BEGIN FOR t IN 0..{transactions - 1} LOOP
              INSERT INTO {Name} SELECT i, 'customer' || i || '@example.com', 'Customer number ' || i,
                (ARRAY['free','pro','team'])[1 + i % 3], i * 1.37, i % 2 = 0, i % 1000, timestamptz '2026-01-01' + i * interval '1 second',
                date '1970-01-01' + i % 20000, 'A note about customer ' || i || ' that is neither short nor long.'
              FROM generate_series(t * {RowsPerTransaction} + 1, (t + 1) * {RowsPerTransaction}) i;
              COMMIT;
            END LOOP; END $$;
            """));
        fill.CommandTimeout = 0;
        await fill.ExecuteNonQueryAsync();
        await using var position = source.CreateCommand("SELECT pg_current_wal_flush_lsn()::text");
        return (string)(await position.ExecuteScalarAsync())!;
    }

    /// <summary>Moves the log a little further, so that a reader that waits for a position beyond the rows comes to its
    /// end.</summary>
    public static async Task NudgeAsync(NpgsqlDataSource source)
    {
        await using var command =
            source.CreateCommand("SELECT pg_logical_emit_message(false, 'bench', 'end'), pg_switch_wal()");
        await command.ExecuteNonQueryAsync();
    }
}
