using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>Timeline lines.</summary>
internal static class TimelineRows
{
    private const string Columns = "id, a, b, at_us, kind, side, detail";

    private const string Insert =
        "INSERT INTO timeline (sync, a, b, at_us, kind, side, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    private const string ByA = $"SELECT {Columns} FROM timeline WHERE sync = ?1 AND a = ?2 ORDER BY id DESC LIMIT ?3";
    private const string ByB = $"SELECT {Columns} FROM timeline WHERE sync = ?1 AND b = ?2 ORDER BY id DESC LIMIT ?3";
    private const string NewestId = "SELECT max(id) FROM timeline";

    // Lines come in the order of their numbers, so that the oldest are the lowest.
    private const string Trim = """
        DELETE FROM timeline WHERE id IN (SELECT id FROM timeline ORDER BY id LIMIT ?3) AND (at_us < ?1 OR id <= ?2)
        """;

    internal static void Write(Database database, SyncNames names, TimelineEvent line) =>
        database.Prepared(Insert).Bind(1, names.Number(line.Sync)).Bind(2, LinkRows.Text(line.A))
            .Bind(3, LinkRows.Text(line.B))
            .Bind(4, line.AtMicros).Bind(5, (long)line.Kind).Bind(6, (long)line.Side).Bind(7, line.Detail.Span).Run();

    /// <summary>The latest lines of the record, oldest first.</summary>
    internal static List<TimelineEvent> Read(
        Database database, SyncNames names, string sync, Side side, RecordKey key, int limit)
    {
        var number = names.Number(sync);
        var lines = new SortedDictionary<long, TimelineEvent>();
        foreach (var (of, text) in LinkRows.KeysOf(database, number, side, key))
        {
            var rows = database.Prepared(of == Side.A ? ByA : ByB).Bind(1, number).Bind(2, text).Bind(3, limit);
            foreach (var (id, line) in rows.All(row => (row.Int64(0), Line(row, sync))))
            {
                lines[id] = line;
            }
        }

        return [.. lines.Values.TakeLast(limit)];
    }

    private static TimelineEvent Line(Statement row, string sync) => new(
        sync, LinkRows.Key(row, 1), LinkRows.Key(row, 2), row.Int64(3), (TimelineKind)row.Int32(4), (Side)row.Int32(5),
        row.Blob(6).ToArray());

    /// <summary>Removes old lines, at most so many. Returns how many went.</summary>
    internal static int RemoveOld(Database database, long beforeMicros, long rowsMax, int limit)
    {
        var newest = database.Prepared(NewestId).Scalar() ?? 0;
        database.Prepared(Trim).Bind(1, beforeMicros).Bind(2, newest - rowsMax).Bind(3, limit).Run();
        return database.Changes;
    }
}
