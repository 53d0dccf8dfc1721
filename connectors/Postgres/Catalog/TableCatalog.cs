using Npgsql;

namespace Duplex.Connectors.Postgres.Catalog;

/// <summary>Reads tables from the server's catalog.</summary>
public static class TableCatalog
{
    private const string TableSql = """
        SELECT c.oid, c.relkind::text, c.relreplident::text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2
        """;

    private const string ColumnsSql = """
        SELECT a.attname, a.atttypid, pg_catalog.format_type(a.atttypid, a.atttypmod),
               CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
               a.attnotnull OR t.typnotnull,
               a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
               a.attgenerated <> '', a.attidentity = 'a'
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
        """;

    private const string ConstraintsSql = """
        SELECT i.relname, x.indisprimary, x.indisreplident,
               ARRAY(SELECT a.attname::text
                     FROM pg_catalog.unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, n)
                     JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
                     WHERE k.n <= x.indnkeyatts ORDER BY k.n)
        FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
        WHERE x.indrelid = $1 AND x.indisunique AND x.indisvalid
        UNION ALL
        SELECT c.conname, false, false,
               ARRAY(SELECT a.attname::text
                     FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY k(attnum, n)
                     JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
                     ORDER BY k.n)
        FROM pg_catalog.pg_constraint c
        WHERE c.conrelid = $1 AND c.contype IN ('c', 'f', 'x')
        """;

    /// <summary>Reads a table, and the types of its columns into the type catalog.</summary>
    /// <returns>The table; null when there is none of that name.</returns>
    public static async Task<TableSchema?> LoadAsync(
        NpgsqlConnection connection, TypeCatalog types, TableName name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(types);
        uint oid;
        char kind, identity;
        await using (var command =
            new NpgsqlCommand(TableSql, connection) { Parameters = { P(name.Schema), P(name.Name) } })
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken))
            {
                return null;
            }

            (oid, kind, identity) = (reader.GetFieldValue<uint>(0), reader.GetString(1)[0], reader.GetString(2)[0]);
        }

        var columns = await ReadColumnsAsync(connection, types, oid, cancellationToken);
        var constraints = await ReadConstraintsAsync(connection, oid, cancellationToken);
        return new TableSchema(name, oid, kind, identity, columns, constraints);
    }

    private static async Task<IReadOnlyList<ColumnSchema>> ReadColumnsAsync(
        NpgsqlConnection connection, TypeCatalog types, uint table, CancellationToken cancellationToken)
    {
        var found = new List<(uint Type, ColumnSchema Column)>();
        await using (var command = new NpgsqlCommand(ColumnsSql, connection) { Parameters = { Oid(table) } })
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                var column = new ColumnSchema(reader.GetString(0), Values.PostgresType.Text, reader.GetString(2),
                    reader.GetInt32(3))
                {
                    NotNull = reader.GetBoolean(4),
                    HasDefault = reader.GetBoolean(5),
                    Generated = reader.GetBoolean(6),
                    AlwaysIdentity = reader.GetBoolean(7),
                };
                found.Add((reader.GetFieldValue<uint>(1), column));
            }
        }

        await types.LoadAsync(connection, found.Select(static f => f.Type), cancellationToken);
        return [.. found.Select(f => f.Column with { Type = types[f.Type] })];
    }

    private static async Task<IReadOnlyList<TableConstraint>> ReadConstraintsAsync(
        NpgsqlConnection connection, uint table, CancellationToken cancellationToken)
    {
        var constraints = new List<TableConstraint>();
        await using var command = new NpgsqlCommand(ConstraintsSql, connection) { Parameters = { Oid(table) } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            constraints.Add(new TableConstraint(
                reader.GetString(0), reader.GetFieldValue<string[]>(3), reader.GetBoolean(1), reader.GetBoolean(2)));
        }

        return constraints;
    }

    private static NpgsqlParameter P(string value) =>
        new() { Value = value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text };

    private static NpgsqlParameter Oid(uint value) =>
        new() { Value = value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid };
}
