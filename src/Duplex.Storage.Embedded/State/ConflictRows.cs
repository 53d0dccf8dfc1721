using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>Conflicts.</summary>
internal static class ConflictRows
{
    private const string Columns = "id, sync, a, b, rule, value_a, value_b, winner, policy, at_us, base";

    // Few wait among many that are resolved, so the newest rows are the wrong place to look for them.
    private const string Waiting = "INDEXED BY conflict_waiting WHERE winner IS NULL";

    private const string Update = """
        UPDATE conflict SET value_a = ?5, value_b = ?6, winner = ?7, policy = ?8, at_us = ?9
        WHERE sync = ?1 AND a = ?2 AND b = ?3 AND rule = ?4 AND winner IS NULL
        """;

    private const string Insert = """
        INSERT INTO conflict (sync, a, b, rule, value_a, value_b, winner, policy, at_us, base)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        """;

    private const string Delete =
        "DELETE FROM conflict WHERE sync = ?1 AND a = ?2 AND b = ?3 AND rule = ?4 AND winner IS NULL";

    private const string SettleAll = """
        UPDATE conflict SET winner = ?4, policy = ?5, at_us = ?6 WHERE sync = ?1 AND a = ?2 AND b = ?3 AND winner IS NULL
        """;

    private const string Rename = """
        UPDATE OR REPLACE conflict SET a = ?4, b = ?5 WHERE sync = ?1 AND a = ?2 AND b = ?3 AND winner IS NULL
        """;

    private const string FindById = $"SELECT {Columns} FROM conflict WHERE id = ?1";
    private const string ListAll = $"SELECT {Columns} FROM conflict WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

    private const string ListWaiting =
        $"SELECT {Columns} FROM conflict {Waiting} AND id < ?1 ORDER BY id DESC LIMIT ?2";

    private const string ListOfSync =
        $"SELECT {Columns} FROM conflict WHERE sync = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2";

    private const string ListWaitingOfSync =
        $"SELECT {Columns} FROM conflict {Waiting} AND sync = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2";

    private const string RemoveByAge = """
        DELETE FROM conflict WHERE id IN (
            SELECT id FROM conflict WHERE winner IS NOT NULL AND at_us < ?1 ORDER BY at_us LIMIT ?2)
        """;

    private const string RemoveByNumber = """
        DELETE FROM conflict WHERE id IN (
            SELECT id FROM conflict WHERE winner IS NOT NULL
                AND id <= (SELECT max(id) FROM conflict) - ?1 ORDER BY id LIMIT ?2)
        """;

    internal static void Write(Database database, SyncNames names, Conflict conflict)
    {
        Bind(database.Prepared(Update)).Run();
        if (database.Changes == 0)
        {
            Bind(database.Prepared(Insert)).Bind(10, conflict.Base).Run();
        }

        Statement Bind(Statement statement)
        {
            statement.Bind(1, names.Number(conflict.Sync)).Bind(2, conflict.A.Json).Bind(3, conflict.B.Json)
                .Bind(4, conflict.Rule).Bind(5, conflict.ValueA).Bind(6, conflict.ValueB)
                .Bind(8, conflict.Policy).Bind(9, conflict.AtMicros);
            return conflict.Winner is { } winner ? statement.Bind(7, (long)winner) : statement.Bind(7, (string?)null);
        }
    }

    internal static void Remove(Database database, SyncNames names, StateMutation.RemoveConflict conflict) =>
        database.Prepared(Delete).Bind(1, names.Number(conflict.Sync)).Bind(2, conflict.A.Json)
            .Bind(3, conflict.B.Json).Bind(4, conflict.Rule).Run();

    internal static void Settle(Database database, SyncNames names, StateMutation.SettleConflicts all) =>
        database.Prepared(SettleAll).Bind(1, names.Number(all.Sync)).Bind(2, all.A.Json).Bind(3, all.B.Json)
            .Bind(4, (long)all.Winner).Bind(5, all.Policy).Bind(6, all.AtMicros).Run();

    /// <summary>What waits about a pair follows it to its keys.</summary>
    internal static void Follow(Database database, long sync, (string A, string B) from, (string A, string B) to) =>
        database.Prepared(Rename).Bind(1, sync).Bind(2, from.A).Bind(3, from.B).Bind(4, to.A).Bind(5, to.B).Run();

    internal static Conflict? Find(Database database, SyncNames names, long id) =>
        database.Prepared(FindById).Bind(1, id).First(row => Read(row, names));

    internal static List<Conflict> List(
        Database database, SyncNames names, string? sync, bool waiting, long beforeId, int limit)
    {
        var rows = database.Prepared((sync, waiting) switch
        {
            (null, false) => ListAll,
            (null, true) => ListWaiting,
            (_, false) => ListOfSync,
            (_, true) => ListWaitingOfSync,
        }).Bind(1, beforeId > 0 ? beforeId : long.MaxValue).Bind(2, limit);
        if (sync is not null)
        {
            rows.Bind(3, names.Number(sync));
        }

        return rows.All(row => Read(row, names));
    }

    /// <summary>Removes old resolved conflicts, at most so many. Returns how many went.</summary>
    internal static int RemoveOld(Database database, long beforeMicros, long rowsMax, int limit)
    {
        database.Prepared(RemoveByAge).Bind(1, beforeMicros).Bind(2, limit).Run();
        var removed = database.Changes;
        database.Prepared(RemoveByNumber).Bind(1, rowsMax).Bind(2, limit).Run();
        return removed + database.Changes;
    }

    private static Conflict Read(Statement row, SyncNames names) => new(
        row.Int64(0), names.Name(row.Int64(1)), LinkRows.Key(row, 2), LinkRows.Key(row, 3), row.Text(4), row.Text(5),
        row.Text(6), row.IsNull(7) ? null : (Side)row.Int32(7), row.Text(8), row.Int64(9),
        row.TextOrNull(10));
}
