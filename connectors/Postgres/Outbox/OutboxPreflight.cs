using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Preflight;
using Npgsql;

namespace Duplex.Connectors.Postgres.Outbox;

/// <summary>What capture by triggers needs: tables with keys that the role owns, and a place for the outbox.</summary>
internal static class OutboxPreflight
{
    private const string PlaceSql = """
        SELECT n.oid IS NOT NULL,
               has_database_privilege(current_database(), 'CREATE'),
               has_schema_privilege(n.oid, 'USAGE') AND (has_schema_privilege(n.oid, 'CREATE')
                   OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid AND p.proname = 'capture')),
               NOT EXISTS (SELECT FROM pg_catalog.pg_class c
                   WHERE c.relnamespace = n.oid AND c.relname IN ('outbox', 'outbox_readers') AND NOT (
                       has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                       AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')))
        FROM (SELECT) one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = 'duplex'
        """;

    /// <summary>Adds what is missing, each finding with the statement that mends it. Changes nothing.</summary>
    public static async Task CheckAsync(
        NpgsqlConnection connection, FindingList found, IReadOnlyList<string> streams,
            CancellationToken cancellationToken)
    {
        var server = await ServerFacts.ReadAsync(connection, cancellationToken);
        var role = TableName.Quote(server.Role);
        if (server.IsStandby)
        {
            found.Error("standby", "The server is a standby: capture needs to put triggers on tables.",
                "Set host to the primary.");
        }

        await CheckPlaceAsync(connection, found, role, cancellationToken);
        foreach (var stream in streams)
        {
            var name = TableName.Parse(stream);
            Check(found, stream, name, await TableFacts.ReadAsync(connection, name, cancellationToken), role);
        }
    }

    private static async Task CheckPlaceAsync(
        NpgsqlConnection connection, FindingList found, string role, CancellationToken cancellationToken)
    {
        await using var place = new NpgsqlCommand(PlaceSql, connection);
        await using var reader = await place.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var exists = reader.GetBoolean(0);
        if (!exists && !reader.GetBoolean(1))
        {
            found.Error("outbox_create", $"Role {role} may not create the outbox in schema duplex.",
                $"CREATE SCHEMA IF NOT EXISTS duplex AUTHORIZATION {role};");
        }
        else if (exists && !reader.GetBoolean(2))
        {
            found.Error("outbox_create", $"Role {role} may not create the outbox in schema duplex.",
                $"GRANT USAGE, CREATE ON SCHEMA duplex TO {role};");
        }
        else if (exists && !reader.GetBoolean(3))
        {
            found.Error("outbox_privilege", $"Role {role} may not read and clear the outbox that another role made.",
                $"GRANT SELECT, INSERT, UPDATE, DELETE ON duplex.outbox, duplex.outbox_readers TO {role};");
        }
    }

    private static void Check(FindingList found, string stream, TableName name, TableFacts? table, string role)
    {
        if (table is null)
        {
            found.Error("no_table", $"There is no table {stream}.",
                "Check the spelling: names are case-sensitive, and a name without a schema is in public.");
        }
        else if (table.Kind is not ("r" or "p"))
        {
            found.Error("not_a_table", $"{stream} is not a table, so it can have no capture triggers.",
                "Name a table.");
        }
        else if (table.PrimaryKey.Count == 0 && table.IdentityIndex.Count == 0)
        {
            found.Error("no_key", $"{stream} has no primary key, so its rows cannot be told apart.",
                $"ALTER TABLE {name.Sql} ADD PRIMARY KEY (…);");
        }
        else if (!table.IsOwner)
        {
            found.Error("not_owner",
                $"Role {role} does not own {stream}; only its owner can have its triggers fire always.",
                $"ALTER TABLE {name.Sql} OWNER TO {role}; "
                + $"or, if its owner is no superuser: GRANT {TableName.Quote(table.Owner)} TO {role};");
        }
    }
}
