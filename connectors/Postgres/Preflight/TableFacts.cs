using Duplex.Connectors.Postgres.Catalog;
using Npgsql;

namespace Duplex.Connectors.Postgres.Preflight;

/// <summary>What the checks need to know of a table and of the role's rights on it.</summary>
internal sealed record TableFacts
{
    private const string Sql = """
        SELECT c.relkind::text, c.relpersistence::text, c.relreplident::text, c.relispartition,
               (SELECT pn.nspname || '.' || p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
                JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid LIMIT 1),
               has_schema_privilege(n.oid, 'USAGE'), has_table_privilege(c.oid, 'SELECT'),
               has_table_privilege(c.oid, 'INSERT'), has_table_privilege(c.oid, 'UPDATE'), has_table_privilege(c.oid, 'DELETE'),
               pg_has_role(c.relowner, 'USAGE'), c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE')),
               ARRAY(SELECT a.attname::text FROM pg_index x CROSS JOIN unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, n)
                     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                     WHERE x.indrelid = c.oid AND x.indisprimary AND k.n <= x.indnkeyatts ORDER BY k.n),
               ARRAY(SELECT a.attname::text FROM pg_index x CROSS JOIN unnest(x.indkey::int2[]) k(attnum)
                     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                     WHERE x.indrelid = c.oid AND x.indisreplident),
               ARRAY(SELECT a.attname::text FROM pg_attribute a
                     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> ''),
               pg_get_userbyid(c.relowner)::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2
        """;

    public required string Kind { get; init; }
    public required string Persistence { get; init; }
    public required string Identity { get; init; }
    public required bool IsPartition { get; init; }
    public required string? Parent { get; init; }
    public required bool SchemaUsable { get; init; }
    public required bool MaySelect { get; init; }
    public required bool MayInsert { get; init; }
    public required bool MayUpdate { get; init; }
    public required bool MayDelete { get; init; }
    public required bool IsOwner { get; init; }
    public required bool RowSecurity { get; init; }
    public required IReadOnlyList<string> PrimaryKey { get; init; }
    public required IReadOnlyList<string> IdentityIndex { get; init; }
    public required IReadOnlyList<string> Generated { get; init; }
    public required string Owner { get; init; }

    /// <summary>Reads them; null when there is no such relation.</summary>
    public static async Task<TableFacts?> ReadAsync(
        NpgsqlConnection connection, TableName name, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters = { new() { Value = name.Schema }, new() { Value = name.Name } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            return null;
        }

        return new TableFacts
        {
            Kind = reader.GetString(0),
            Persistence = reader.GetString(1),
            Identity = reader.GetString(2),
            IsPartition = reader.GetBoolean(3),
            Parent = reader.IsDBNull(4) ? null : reader.GetString(4),
            SchemaUsable = reader.GetBoolean(5),
            MaySelect = reader.GetBoolean(6),
            MayInsert = reader.GetBoolean(7),
            MayUpdate = reader.GetBoolean(8),
            MayDelete = reader.GetBoolean(9),
            IsOwner = reader.GetBoolean(10),
            RowSecurity = reader.GetBoolean(11),
            PrimaryKey = reader.GetFieldValue<string[]>(12),
            IdentityIndex = reader.GetFieldValue<string[]>(13),
            Generated = reader.GetFieldValue<string[]>(14),
            Owner = reader.GetString(15),
        };
    }
}
