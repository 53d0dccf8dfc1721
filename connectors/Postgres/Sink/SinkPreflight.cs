using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Preflight;
using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Sink;

/// <summary>
/// What the sink needs at the database beside the rights on its tables: the ledger of writes, and the tables'
/// sequences.
/// </summary>
internal static class SinkPreflight
{
    private const string Purpose = "in which writes are noted so that none is made twice";

    private const string LedgerSql = """
        SELECT c.oid IS NOT NULL,
               c.oid IS NULL OR (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
                   AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'DELETE')),
               CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                    ELSE has_schema_privilege(n.oid, 'CREATE') AND has_schema_privilege(n.oid, 'USAGE') END,
               current_user::text, n.oid IS NOT NULL
        FROM (SELECT) one
        LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = 'duplex'
        LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'writes'
        """;

    // An index hangs on its table as a sequence does, and has_sequence_privilege fails on an index; the planner calls it
    // before it looks at relkind where it likes that order better, unless CASE holds it back.
    private const string SequencesSql = """
        SELECT pg_catalog.quote_ident(sn.nspname) || '.' || pg_catalog.quote_ident(s.relname)
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_depend d ON d.refobjid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
            AND d.deptype = 'a'
        JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2
            AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') ELSE false END
        """;

    /// <summary>
    /// Adds what is missing for writes to the streams, each with the statement that mends it. Changes nothing.
    /// </summary>
    public static async Task CheckAsync(
        NpgsqlConnection connection, FindingList found, IReadOnlyList<string> streams,
            CancellationToken cancellationToken)
    {
        if (streams.Count == 0)
        {
            return;
        }

        var role = await CheckLedgerAsync(connection, found, cancellationToken);
        foreach (var stream in streams)
        {
            await CheckSequencesAsync(connection, found, stream, role, cancellationToken);
        }
    }

    private static async Task<string> CheckLedgerAsync(
        NpgsqlConnection connection, FindingList found, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(LedgerSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (exists, usable, creatable) = (reader.GetBoolean(0), reader.GetBoolean(1), reader.GetBoolean(2));
        var role = TableName.Quote(reader.GetString(3));
        if (exists && !usable)
        {
            found.Error("ledger_privilege", $"Role {role} may not use duplex.writes, {Purpose}.",
                $"GRANT USAGE ON SCHEMA duplex TO {role}; GRANT SELECT, INSERT, DELETE ON duplex.writes TO {role};");
        }
        else if (!exists && !creatable)
        {
            found.Error("ledger_create", $"Role {role} may not create duplex.writes, {Purpose}.",
                reader.GetBoolean(4)
                    ? $"GRANT USAGE, CREATE ON SCHEMA duplex TO {role};"
                    : $"CREATE SCHEMA IF NOT EXISTS duplex AUTHORIZATION {role};");
        }

        return role;
    }

    private static async Task CheckSequencesAsync(
        NpgsqlConnection connection, FindingList found, string stream, string role, CancellationToken cancellationToken)
    {
        var name = TableName.Parse(stream);
        await using var command = new NpgsqlCommand(SequencesSql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = name.Schema, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = name.Name, NpgsqlDbType = NpgsqlDbType.Text });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var sequence = reader.GetString(0);
            found.Error("sequence_privilege",
                $"Role {role} may not use {sequence}, from which new rows of {stream} get their numbers.",
                $"GRANT USAGE ON SEQUENCE {sequence} TO {role};");
        }
    }
}
