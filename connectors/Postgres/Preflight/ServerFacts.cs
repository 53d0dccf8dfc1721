using Npgsql;

namespace Duplex.Connectors.Postgres.Preflight;

/// <summary>What the checks need to know of a server, read at once.</summary>
internal sealed record ServerFacts
{
    private const string Sql = """
        SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('wal_level'),
               current_setting('max_replication_slots')::int, (SELECT count(*)::int FROM pg_replication_slots),
               current_setting('max_wal_senders')::int, (SELECT count(*)::int FROM pg_stat_replication),
               current_setting('max_slot_wal_keep_size'), pg_is_in_recovery(), current_user::text,
               r.rolsuper OR r.rolreplication OR EXISTS (
                   SELECT FROM pg_roles x WHERE x.rolname = 'rds_replication' AND pg_has_role(x.oid, 'MEMBER')),
               r.rolsuper, r.rolsuper OR r.rolbypassrls,
               has_database_privilege(current_database(), 'CREATE'), current_database()::text
        FROM pg_roles r WHERE r.rolname = current_user
        """;

    public required int Version { get; init; }
    public required string VersionText { get; init; }
    public required string WalLevel { get; init; }
    public required int SlotsMax { get; init; }
    public required int SlotsUsed { get; init; }
    public required int SendersMax { get; init; }
    public required int SendersUsed { get; init; }
    public required string SlotWalKeepMax { get; init; }
    public required bool IsStandby { get; init; }
    public required string Role { get; init; }
    public required bool MayReplicate { get; init; }
    public required bool IsSuperuser { get; init; }
    public required bool BypassesRowSecurity { get; init; }
    public required bool MayCreatePublication { get; init; }
    public required string Database { get; init; }

    public static async Task<ServerFacts> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new ServerFacts
        {
            Version = reader.GetInt32(0),
            VersionText = reader.GetString(1),
            WalLevel = reader.GetString(2),
            SlotsMax = reader.GetInt32(3),
            SlotsUsed = reader.GetInt32(4),
            SendersMax = reader.GetInt32(5),
            SendersUsed = reader.GetInt32(6),
            SlotWalKeepMax = reader.GetString(7),
            IsStandby = reader.GetBoolean(8),
            Role = reader.GetString(9),
            MayReplicate = reader.GetBoolean(10),
            IsSuperuser = reader.GetBoolean(11),
            BypassesRowSecurity = reader.GetBoolean(12),
            MayCreatePublication = reader.GetBoolean(13),
            Database = reader.GetString(14),
        };
    }
}
