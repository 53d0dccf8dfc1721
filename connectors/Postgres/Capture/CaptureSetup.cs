using Duplex.Connectors.Postgres.Catalog;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>
/// Makes and removes what capture needs at the server. The publication always comes before the slot: a slot made
/// earlier fails on every change of the time between.
/// </summary>
internal sealed class CaptureSetup(CaptureOptions options, NpgsqlConnection connection)
{
    private const string TablesSql = """
        SELECT x.stream, c.oid::bigint, EXISTS (
            SELECT FROM pg_publication_tables p
            WHERE p.pubname = $3 AND p.schemaname = n.nspname AND p.tablename = c.relname)
        FROM unnest($1::text[], $2::text[], $4::text[]) AS x(schema, name, stream)
        JOIN pg_namespace n ON n.nspname = x.schema
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = x.name AND c.relkind IN ('r', 'p')
        """;

    private const string WritersSql = """
        SELECT array_agg(DISTINCT l.virtualtransaction) FROM pg_locks l
        WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND l.relation = ANY($1) AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                                                  'AccessExclusiveLock')
        """;

    /// <summary>The streams' tables: oid, and whether the publication holds them. Streams without a table are
    /// absent.</summary>
    public async Task<IReadOnlyDictionary<string, PublishedTable>> TablesAsync(
        IReadOnlyCollection<string> streams, CancellationToken cancellationToken)
    {
        var names = streams.Select(TableName.Parse).ToArray();
        await using var command = new NpgsqlCommand(TablesSql, connection)
        {
            Parameters =
            {
                new() { Value = names.Select(static n => n.Schema).ToArray() },
                new() { Value = names.Select(static n => n.Name).ToArray() },
                new() { Value = options.Publication },
                new() { Value = streams.ToArray() },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var tables = new Dictionary<string, PublishedTable>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            tables[reader.GetString(0)] = new PublishedTable((uint)reader.GetInt64(1), reader.GetBoolean(2));
        }

        return tables;
    }

    /// <summary>Whether the publication exists.</summary>
    public Task<bool> PublicationExistsAsync(CancellationToken cancellationToken) =>
        ExistsAsync("SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = $1)", options.Publication,
            cancellationToken);

    /// <summary>Makes the publication with these tables, or adds those that it lacks. Returns whether it was
    /// made.</summary>
    public async Task<bool> EnsurePublicationAsync(
        IReadOnlyCollection<string> streams, CancellationToken cancellationToken)
    {
        var publication = TableName.Quote(options.Publication);
        if (!await PublicationExistsAsync(cancellationToken))
        {
            var all = string.Join(", ", streams.Select(static s => TableName.Parse(s).Sql));
            await RunAsync(
                $"CREATE PUBLICATION {publication} FOR TABLE {all} WITH (publish_via_partition_root = true)",
                    cancellationToken);
            return true;
        }

        var tables = await TablesAsync(streams, cancellationToken);
        var missing =
            tables.Where(static t => !t.Value.Published).Select(static t => TableName.Parse(t.Key).Sql).ToArray();
        if (missing.Length > 0)
        {
            await RunAsync($"ALTER PUBLICATION {publication} ADD TABLE {string.Join(", ", missing)}",
                cancellationToken);
        }

        return false;
    }

    /// <summary>
    /// Waits until every transaction that writes to the tables at the time of the call has ended: what such a
    /// transaction wrote before the tables were published comes by no stream, so the snapshot has to see it.
    /// </summary>
    public async Task WaitForWritersAsync(
        IReadOnlyCollection<uint> tables, TimeProvider clock, CancellationToken cancellationToken)
    {
        var pending = await WritersAsync(tables, cancellationToken);
        while (pending.Count > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, cancellationToken);
            pending.IntersectWith(await WritersAsync(tables, cancellationToken));
        }
    }

    /// <summary>
    /// Makes the slot and returns the position from which it tells every change. Waits for the transactions that run at
    /// the time.
    /// </summary>
    public async Task<ulong> CreateSlotAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT lsn::text FROM pg_create_logical_replication_slot($1, 'pgoutput')", connection)
        {
            Parameters = { new() { Value = options.Slot } },
        };
        return Lsn.Parse((string)(await command.ExecuteScalarAsync(cancellationToken))!);
    }

    /// <summary>Drops the slot if it exists.</summary>
    public async Task DropSlotAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", connection)
        {
            Parameters = { new() { Value = options.Slot } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Drops the publication if it exists.</summary>
    public Task DropPublicationAsync(CancellationToken cancellationToken) =>
        RunAsync($"DROP PUBLICATION IF EXISTS {TableName.Quote(options.Publication)}", cancellationToken);

    /// <summary>The oid of the database.</summary>
    public async Task<uint> DatabaseAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT oid::bigint FROM pg_database WHERE datname = current_database()", connection);
        return (uint)(long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<HashSet<string>> WritersAsync(IReadOnlyCollection<uint> tables,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(WritersSql, connection)
        {
            Parameters = { new() { Value = tables.ToArray(), NpgsqlDbType =
                NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Oid } },
        };
        return await command.ExecuteScalarAsync(cancellationToken) is string[] ids ? [.. ids] : [];
    }

    private async Task<bool> ExistsAsync(string sql, string name, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = name } } };
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task RunAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
