using Duplex.Connectors.Postgres.Catalog;
using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Outbox;

/// <summary>
/// What capture by triggers keeps in the database: the outbox, who reads it and how far, the trigger function, and a
/// trigger on every captured table. All of it lies in the schema <c>duplex</c>; dropping that schema leaves nothing
/// behind.
/// </summary>
internal static class OutboxSchema
{
    /// <summary>The channel that a commit with changes notifies.</summary>
    public const string Channel = "duplex_outbox";

    /// <summary>The trigger on a captured table.</summary>
    public const string Trigger = "duplex_capture";

    /// <summary>
    /// The function runs as its owner, so that whoever may write to a table needs no right on the outbox; it reads
    /// our settings in the form that tells nothing where they were never set; and its own settings give every value
    /// one text form, whatever the writer's session uses. A row travels as its text beside the columns that it had,
    /// so that later DDL changes nothing in it.
    /// </summary>
    private const string Definition = """
        CREATE TABLE IF NOT EXISTS duplex.outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            stream text NOT NULL,
            operation text NOT NULL,
            layout text[] NOT NULL,
            before text,
            after text,
            origin text,
            at timestamptz NOT NULL DEFAULT clock_timestamp());
        CREATE TABLE IF NOT EXISTS duplex.outbox_readers (
            name text PRIMARY KEY,
            streams text[] NOT NULL,
            confirmed bigint NOT NULL DEFAULT 0);
        CREATE OR REPLACE FUNCTION duplex.capture() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres'
            SET extra_float_digits = 1 SET bytea_output = 'hex' SET timezone = 'UTC' SET lc_monetary = 'C'
        AS $function$
        BEGIN
            IF lower(coalesce(current_setting('duplex.reverse_off', true), '')) IN ('on', 'true', 'yes', '1', 't') THEN
                RETURN NULL;
            END IF;
            INSERT INTO duplex.outbox (stream, operation, layout, before, after, origin)
            VALUES (TG_ARGV[0],
                CASE TG_OP WHEN 'INSERT' THEN 'c' WHEN 'UPDATE' THEN 'u' WHEN 'DELETE' THEN 'd' ELSE 't' END,
                ARRAY(SELECT a.atttypid::text || ':' || a.attname FROM pg_attribute a
                      WHERE a.attrelid = TG_RELID AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
                CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN OLD::text END,
                CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN NEW::text END,
                nullif(current_setting('duplex.origin', true), ''));
            PERFORM pg_notify('duplex_outbox', '');
            RETURN NULL;
        END $function$;
        """;

    /// <summary>
    /// Makes whatever is missing of the outbox. Idempotent; safe beside another reader that does the same.
    /// </summary>
    public static async Task EnsureAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, "SELECT pg_advisory_xact_lock(hashtext('duplex.outbox'))", cancellationToken);
        if (!await TestAsync(connection, "SELECT to_regnamespace('duplex') IS NOT NULL", cancellationToken))
        {
            await ExecuteAsync(connection, "CREATE SCHEMA duplex", cancellationToken);
        }

        if (!await TestAsync(
            connection,
            "SELECT to_regclass('duplex.outbox_readers') IS NOT NULL AND to_regproc('duplex.capture') IS NOT NULL",
            cancellationToken))
        {
            await ExecuteAsync(connection, Definition, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>
    /// Puts the triggers on a table. From the commit on every write is captured: creating a trigger waits for the
    /// writers that are at work.
    /// </summary>
    public static async Task AttachAsync(
        NpgsqlConnection connection, string stream, TableName table, CancellationToken cancellationToken)
    {
        var argument = TableName.Literal(stream);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, $"""
            SET LOCAL lock_timeout = '10s';
            DROP TRIGGER IF EXISTS {Trigger} ON {table.Sql};
            DROP TRIGGER IF EXISTS {Trigger}_truncate ON {table.Sql};
            CREATE TRIGGER {Trigger} AFTER INSERT OR UPDATE OR DELETE ON {table.Sql}
                FOR EACH ROW EXECUTE FUNCTION duplex.capture({argument});
            CREATE TRIGGER {Trigger}_truncate AFTER TRUNCATE ON {table.Sql}
                FOR EACH STATEMENT EXECUTE FUNCTION duplex.capture({argument});
            ALTER TABLE {table.Sql} ENABLE ALWAYS TRIGGER {Trigger};
            ALTER TABLE {table.Sql} ENABLE ALWAYS TRIGGER {Trigger}_truncate;
            """, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>The oids of the tables, of those named, whose triggers stand and fire.</summary>
    public static async Task<IReadOnlySet<uint>> AttachedAsync(
        NpgsqlConnection connection, IEnumerable<uint> tables, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"""
            SELECT t.tgrelid FROM pg_catalog.pg_trigger t
            WHERE t.tgrelid = ANY($1) AND t.tgname IN ('{Trigger}', '{Trigger}_truncate') AND t.tgenabled = 'A'
            GROUP BY t.tgrelid HAVING count(*) = 2
            """, connection);
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = tables.ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid,
        });
        var found = new HashSet<uint>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(reader.GetFieldValue<uint>(0));
        }

        return found;
    }

    /// <summary>Takes the triggers off a table, if the table is still there.</summary>
    public static async Task DetachAsync(
        NpgsqlConnection connection, TableName table, CancellationToken cancellationToken)
    {
        await using var exists = new NpgsqlCommand("SELECT to_regclass($1) IS NOT NULL", connection);
        exists.Parameters.Add(new NpgsqlParameter { Value = table.Sql, NpgsqlDbType = NpgsqlDbType.Text });
        if (await exists.ExecuteScalarAsync(cancellationToken) is true)
        {
            await ExecuteAsync(connection, $"""
                DROP TRIGGER IF EXISTS {Trigger} ON {table.Sql};
                DROP TRIGGER IF EXISTS {Trigger}_truncate ON {table.Sql};
                """, cancellationToken);
        }
    }

    internal static async Task ExecuteAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<bool> TestAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
