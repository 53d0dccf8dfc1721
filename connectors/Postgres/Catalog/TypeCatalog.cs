using Duplex.Connectors.Postgres.Values;
using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Catalog;

/// <summary>
/// The types of one database, by oid. Built-in types are known; others are asked for once and kept. Types that are
/// not known are text, which loses nothing.
/// </summary>
public sealed class TypeCatalog
{
    private const string Sql = """
        WITH RECURSIVE needed(oid) AS (
            SELECT unnest($1)
            UNION
            SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END
            FROM needed n JOIN pg_catalog.pg_type t ON t.oid = n.oid
            WHERE t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0)
        )
        SELECT t.oid, pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(t.typname), t.typtype::text,
               t.typtype <> 'd' AND t.typcategory = 'A' AND t.typelem <> 0 AND t.typlen = -1, t.typelem, t.typbasetype,
               e.typdelim::text,
               ARRAY(SELECT l.enumlabel::text FROM pg_catalog.pg_enum l
                     WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder)
        FROM needed n
        JOIN pg_catalog.pg_type t ON t.oid = n.oid
        JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace
        LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
        """;

    private readonly Dictionary<uint, PostgresType> _types = [];
    private readonly Lock _gate = new();

    /// <summary>
    /// The type of the oid, if it is built in or was loaded; otherwise text under that oid. Safe in parallel.
    /// </summary>
    public PostgresType this[uint oid]
    {
        get
        {
            if (PostgresType.BuiltIn(oid) is { } known)
            {
                return known;
            }

            lock (_gate)
            {
                return _types.TryGetValue(oid, out var type) ? type : PostgresType.Text with { Oid = oid };
            }
        }
    }

    /// <summary>Whether the oid is built in or was loaded.</summary>
    public bool Knows(uint oid)
    {
        if (PostgresType.BuiltIn(oid) is not null)
        {
            return true;
        }

        lock (_gate)
        {
            return _types.ContainsKey(oid);
        }
    }

    /// <summary>Asks the database for the types, and for those they are made of.</summary>
    public async Task LoadAsync(
        NpgsqlConnection connection, IEnumerable<uint> oids, CancellationToken cancellationToken)
    {
        uint[] wanted = [.. oids.Distinct().Where(static oid => PostgresType.BuiltIn(oid) is null)];
        if (wanted.Length == 0)
        {
            return;
        }

        var rows = new Dictionary<uint, Row>();
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.Add(
            new NpgsqlParameter { Value = wanted, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows[reader.GetFieldValue<uint>(0)] = new Row(
                reader.GetString(1),
                reader.GetString(2)[0],
                reader.GetBoolean(3),
                reader.GetFieldValue<uint>(4),
                reader.GetFieldValue<uint>(5),
                await reader.IsDBNullAsync(6, cancellationToken) ? ',' : reader.GetString(6)[0],
                reader.GetFieldValue<string[]>(7));
        }

        lock (_gate)
        {
            foreach (var oid in rows.Keys)
            {
                Resolve(oid, rows);
            }
        }
    }

    private PostgresType Resolve(uint oid, Dictionary<uint, Row> rows)
    {
        if (PostgresType.BuiltIn(oid) is { } known)
        {
            return known;
        }

        if (!rows.TryGetValue(oid, out var row))
        {
            return PostgresType.Text with { Oid = oid };
        }

        if (row.Type == 'd')
        {
            var under = Resolve(row.Base, rows);
            return _types[oid] = under with { Oid = oid, Name = row.Name, Base = under.Base ?? under };
        }

        return _types[oid] = row.IsArray
            ? new PostgresType(oid, row.Name, PostgresKind.Array)
            {
                Element = Resolve(row.Element, rows),
                Delimiter = row.Delimiter,
            }
            : new PostgresType(oid, row.Name, PostgresType.KindOf(oid)) { Labels = row.Type == 'e'
                ? row.Labels : null };
    }

    private sealed record Row(
        string Name, char Type, bool IsArray, uint Element, uint Base, char Delimiter, IReadOnlyList<string> Labels);
}
