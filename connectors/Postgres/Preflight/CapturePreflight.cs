using Duplex.Connectors.Postgres.Capture;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Preflight;

/// <summary>
/// Everything that would keep capture from the log from working, or would harm the database that is read, each with the
/// statement that mends it. Changes nothing.
/// </summary>
internal sealed class CapturePreflight
{
    private const int VersionMin = 140000;

    private readonly FindingList _found;
    private readonly CaptureOptions _options;
    private readonly ServerFacts _server;

    private CapturePreflight(CaptureOptions options, ServerFacts server) =>
        (_options, _server, _found) = (options, server, new FindingList(options.Connection));

    /// <summary>Checks server, role, publication, slot and tables.</summary>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(
        NpgsqlConnection connection, CaptureOptions options, IReadOnlyList<string> streams,
            CancellationToken cancellationToken)
    {
        var preflight = new CapturePreflight(options, await ServerFacts.ReadAsync(connection, cancellationToken));
        var slot = await SlotState.ReadAsync(connection, options.Slot, cancellationToken);
        preflight.CheckServer(slot);
        var tables = new Dictionary<string, TableFacts>(StringComparer.Ordinal);
        foreach (var stream in streams)
        {
            var table = await TableFacts.ReadAsync(connection, TableName.Parse(stream), cancellationToken);
            if (preflight.CheckTable(stream, table))
            {
                tables[stream] = table!;
            }
        }

        var publication = await PublicationFacts.ReadAsync(connection, options.Publication, cancellationToken);
        preflight.CheckPublication(publication, slot, tables);
        return preflight._found.Findings;
    }

    private void CheckServer(SlotState? slot)
    {
        if (_server.Version < VersionMin)
        {
            _found.Error("version",
                $"The server runs PostgreSQL {_server.VersionText}; capture from the log needs 14 or later.",
                "Upgrade the server, or set capture: outbox.");
        }

        if (_options.Slot.Length > 63 || !_options.Slot.All(static c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_'))
        {
            _found.Error("slot_name", "slot is no name that a replication slot can have.",
                "Use up to 63 lower-case letters, digits and _, or remove slot.");
        }

        if (_server.IsStandby)
        {
            _found.Error("standby", "The server is a standby: capture needs to write marks into the log.",
                "Set host to the primary.");
        }

        if (_server.WalLevel != "logical")
        {
            _found.Error("wal_level",
                $"wal_level is {_server.WalLevel}; without logical, changes cannot be read from the log.",
                "ALTER SYSTEM SET wal_level = 'logical'; then restart the server. "
                + "Where that cannot be had, set capture: outbox.");
        }

        if (slot is null && _server.SlotsUsed >= _server.SlotsMax)
        {
            _found.Error("replication_slots", $"All {_server.SlotsMax} replication slots are in use.",
                $"ALTER SYSTEM SET max_replication_slots = {_server.SlotsMax + 5}; then restart the server; "
                + "or drop a slot that nobody reads: SELECT slot_name FROM pg_replication_slots WHERE NOT active;");
        }

        if (slot?.ActivePid is null && _server.SendersUsed >= _server.SendersMax)
        {
            _found.Error("wal_senders", $"All {_server.SendersMax} WAL senders are in use.",
                $"ALTER SYSTEM SET max_wal_senders = {_server.SendersMax + 5}; then restart the server.");
        }

        if (!_server.MayReplicate)
        {
            _found.Error("replication_role", $"Role {_server.Role} lacks REPLICATION.",
                $"ALTER ROLE {TableName.Quote(_server.Role)} REPLICATION; (on Amazon RDS: GRANT rds_replication TO "
                + $"{TableName.Quote(_server.Role)};)");
        }

        if (_server.SlotWalKeepMax == "-1")
        {
            _found.Warn("slot_wal_unbounded",
                "max_slot_wal_keep_size is unlimited: while Duplex is stopped, the log it still needs can fill the server's disk.",
                "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'; SELECT pg_reload_conf();");
        }
    }

    /// <summary>Checks a table; true when the publication could hold it.</summary>
    private bool CheckTable(string stream, TableFacts? table)
    {
        var name = TableName.Parse(stream);
        if (table is null)
        {
            _found.Error("no_table", $"There is no table {stream} in database {_server.Database}.",
                "Check the spelling: names are case-sensitive, and a name without a schema is in public.");
            return false;
        }

        if (!CheckKind(stream, name, table))
        {
            return false;
        }

        var role = TableName.Quote(_server.Role);
        if (!table.SchemaUsable)
        {
            _found.Error("schema_privilege", $"Role {_server.Role} may not use schema {name.Schema}.",
                $"GRANT USAGE ON SCHEMA {TableName.Quote(name.Schema)} TO {role};");
        }

        if (!table.MaySelect)
        {
            _found.Error("select_privilege", $"Role {_server.Role} may not read {stream}.",
                $"GRANT SELECT ON {name.Sql} TO {role};");
        }

        if (table.RowSecurity && !_server.BypassesRowSecurity)
        {
            _found.Error("row_security",
                $"Row security hides rows of {stream} from role {_server.Role}: a snapshot would miss them.",
                $"ALTER ROLE {role} BYPASSRLS;");
        }

        CheckIdentity(stream, name, table);
        if (table.Generated.Count > 0)
        {
            _found.Note("generated_columns",
                $"The log does not tell generated columns; changes of {stream} come without {string.Join(", ", table.Generated)}.",
                null);
        }

        return true;
    }

    private bool CheckKind(string stream, TableName name, TableFacts table)
    {
        var kind = table.Kind switch
        {
            _ when name.IsSystem => "a table of the server itself",
            "r" or "p" => null,
            "v" => "a view",
            "m" => "a materialized view",
            "f" => "a foreign table",
            "S" => "a sequence",
            _ => "not a table",
        };
        if (kind is not null)
        {
            _found.Error("not_a_table", $"{stream} is {kind}: the log has no changes of it.",
                name.IsSystem ? "Name a table of your own." : "Name the table that it is made from.");
            return false;
        }

        if (table.Persistence != "p")
        {
            var word = table.Persistence == "t" ? "temporary" : "unlogged";
            _found.Error("unlogged", $"{stream} is {word}: its changes are not written to the log.",
                table.Persistence == "t" ? "Name a permanent table." : $"ALTER TABLE {name.Sql} SET LOGGED;");
            return false;
        }

        if (table.IsPartition)
        {
            _found.Warn("partition", $"{stream} is one partition of {table.Parent}; rows of the others are not read.",
                $"Name the stream {table.Parent}: it has the rows of every partition.");
        }

        return true;
    }

    private void CheckIdentity(string stream, TableName name, TableFacts table)
    {
        if (table.PrimaryKey.Count == 0 && table.IdentityIndex.Count == 0)
        {
            _found.Error("no_key",
                $"{stream} has no primary key, so a change does not say which record it is about; once published, the server would "
                + "refuse every UPDATE and DELETE of it.",
                $"ALTER TABLE {name.Sql} ADD PRIMARY KEY (…); or, with a unique index on columns that are NOT NULL: "
                + $"ALTER TABLE {name.Sql} REPLICA IDENTITY USING INDEX …;");
            return;
        }

        if (table.Identity == "n" || (table.Identity == "d" && table.PrimaryKey.Count == 0))
        {
            _found.Error("replica_identity",
                $"{stream} has no replica identity: once published, the server would refuse every UPDATE and DELETE of it.",
                $"ALTER TABLE {name.Sql} REPLICA IDENTITY FULL;");
        }
        else if (table.Identity == "i" && table.PrimaryKey.Except(table.IdentityIndex).Any())
        {
            _found.Error("replica_identity",
                $"The replica identity of {stream} is an index that lacks columns of the primary key: deletes would not tell the key.",
                $"ALTER TABLE {name.Sql} REPLICA IDENTITY FULL; (or DEFAULT)");
        }
        else if (table.Identity != "f")
        {
            _found.Note("replica_identity",
                $"The log tells only the key of {stream} before a change: a merge has fewer facts, and large values that an update "
                + "leaves alone are not repeated.",
                $"ALTER TABLE {name.Sql} REPLICA IDENTITY FULL;");
        }
    }

    private void CheckPublication(
        PublicationFacts? publication, SlotState? slot, IReadOnlyDictionary<string, TableFacts> tables)
    {
        var quoted = TableName.Quote(_options.Publication);
        if (slot is { Plugin: not "pgoutput" })
        {
            _found.Error("slot_plugin", $"Replication slot {_options.Slot} is not one of pgoutput.",
                "Set slot to another name.");
        }

        if (publication is not null)
        {
            CheckPublished(publication, tables, quoted);
            return;
        }

        if (slot is not null && !_options.OwnsSlot)
        {
            _found.Error("slot_before_publication",
                $"Slot {_options.Slot} exists and publication {_options.Publication} does not: a slot fails for ever on changes that "
                + "are older than its publication.",
                $"SELECT pg_drop_replication_slot({TableName.Literal(_options.Slot)}); Duplex then makes both in the right order.");
        }

        var foreign = tables.Where(static t => !t.Value.IsOwner).Select(static t => t.Key).ToArray();
        if (!_server.IsSuperuser && (foreign.Length > 0 || !_server.MayCreatePublication) && tables.Count > 0)
        {
            var list = string.Join(", ", tables.Keys.Select(static s => TableName.Parse(s).Sql));
            var why = foreign.Length > 0
                ? $"does not own {string.Join(", ", foreign)}" : "may not create in the database";
            _found.Error("no_publication",
                $"Publication {_options.Publication} does not exist, and role {_server.Role} cannot make it: it {why}.",
                $"As the owner: CREATE PUBLICATION {quoted} FOR TABLE {list} WITH (publish_via_partition_root = true);");
        }
    }

    private void CheckPublished(PublicationFacts publication, IReadOnlyDictionary<string, TableFacts> tables,
        string quoted)
    {
        if (!publication.Complete)
        {
            _found.Error("publication_operations",
                $"Publication {_options.Publication} does not publish every operation; the others would be lost.",
                $"ALTER PUBLICATION {quoted} SET (publish = 'insert, update, delete, truncate');");
        }

        if (!publication.ViaRoot && tables.Values.Any(static t => t.Kind == "p"))
        {
            _found.Error("publication_root",
                $"Publication {_options.Publication} tells changes of partitions under the partitions' names.",
                $"ALTER PUBLICATION {quoted} SET (publish_via_partition_root = true);");
        }

        var missing = tables.Keys.Where(t => !publication.Tables.Contains(TableName.Parse(t))).ToArray();
        var mayAdd = publication.IsOwner && missing.All(t => tables[t].IsOwner);
        if (missing.Length > 0 && !mayAdd && !_server.IsSuperuser)
        {
            var list = string.Join(", ", missing.Select(static s => TableName.Parse(s).Sql));
            _found.Error("publication_tables",
                $"Publication {_options.Publication} lacks {string.Join(", ", missing)}, and role {_server.Role} may not add them.",
                $"As the owner: ALTER PUBLICATION {quoted} ADD TABLE {list};");
        }
    }
}
