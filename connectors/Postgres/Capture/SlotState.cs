using System.Globalization;
using Npgsql;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>A replication slot as the server shows it, with the server's own place in the log.</summary>
/// <param name="Plugin">The output plugin; null for a physical slot.</param>
/// <param name="Database">The database that it belongs to.</param>
/// <param name="ActivePid">The session that reads it; null when none does.</param>
/// <param name="Confirmed">The position that the slot's reader confirmed.</param>
/// <param name="WalStatus"><c>reserved</c>, <c>extended</c>, <c>unreserved</c>, <c>lost</c>; null when it holds no
/// log.</param>
/// <param name="SafeBytes">How much may be written before the slot is lost; null when nothing bounds it.</param>
/// <param name="HeldBytes">How much log the slot holds back.</param>
/// <param name="Invalid">Why the server gave the slot up; null when it did not.</param>
internal sealed record SlotState(
    string? Plugin, string? Database, int? ActivePid, ulong Confirmed, string? WalStatus, long? SafeBytes,
        long HeldBytes,
    string? Invalid)
{
    private const string Sql = """
        SELECT s.plugin, s.database, s.active_pid, s.confirmed_flush_lsn::text, s.wal_status, s.safe_wal_size,
               pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                               s.restart_lsn)::bigint,
               coalesce(to_jsonb(s) ->> 'invalidation_reason',
                        CASE WHEN (to_jsonb(s) ->> 'conflicting')::boolean THEN 'conflict with recovery' END)
        FROM pg_replication_slots s WHERE s.slot_name = $1
        """;

    /// <summary>Reads the slot; null when there is none.</summary>
    public static async Task<SlotState?> ReadAsync(
        NpgsqlConnection connection, string slot, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection) { Parameters = { new() { Value = slot } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            return null;
        }

        return new SlotState(
            Text(reader, 0),
            Text(reader, 1),
            reader.IsDBNull(2) ? null : reader.GetInt32(2),
            Text(reader, 3) is { } lsn ? Lsn.Parse(lsn) : 0,
            Text(reader, 4),
            reader.IsDBNull(5) ? null : reader.GetInt64(5),
            reader.IsDBNull(6) ? 0 : reader.GetInt64(6),
            Text(reader, 7));
    }

    private static string? Text(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);
}

/// <summary>Log sequence numbers in PostgreSQL's text form, compared as the 64-bit numbers that they are.</summary>
internal static class Lsn
{
    /// <summary>Reads <c>16/B374D848</c>.</summary>
    public static ulong Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return (ulong.Parse(text.AsSpan(0, slash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) << 32)
            | ulong.Parse(text.AsSpan(slash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    /// <summary>Writes <c>16/B374D848</c>.</summary>
    public static string Format(ulong value) =>
        string.Create(CultureInfo.InvariantCulture, $"{value >> 32:X}/{value & 0xFFFFFFFF:X}");
}
