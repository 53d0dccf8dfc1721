using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>Candidates: the records that wait for a partner, indexed by sync and match value.</summary>
internal static class CandidateRows
{
    private const string Put = """
        INSERT INTO candidate (sync, side, key, match) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (sync, side, key) DO UPDATE SET match = excluded.match
        """;

    private const string Delete = "DELETE FROM candidate WHERE sync = ?1 AND side = ?2 AND key = ?3";

    private const string FindByMatch =
        "SELECT key FROM candidate WHERE sync = ?1 AND match = ?2 AND side = ?3 ORDER BY key LIMIT ?4";

    // Grouping walks the index in order, so that the count needs no more memory for a million candidates than for one.
    private const string Tally = """
        SELECT
            sum(a = 1 AND b = 1),
            sum(CASE WHEN b = 0 THEN a ELSE 0 END),
            sum(CASE WHEN a = 0 THEN b ELSE 0 END),
            sum(CASE WHEN a > 0 AND b > 0 AND a + b > 2 THEN a ELSE 0 END),
            sum(CASE WHEN a > 0 AND b > 0 AND a + b > 2 THEN b ELSE 0 END)
        FROM (SELECT sum(side = 0) AS a, sum(side = 1) AS b FROM candidate
              WHERE sync = ?1 AND match IS NOT NULL GROUP BY match)
        """;

    private const string Unmatched =
        "SELECT sum(side = 0), sum(side = 1) FROM candidate WHERE sync = ?1 AND match IS NULL";

    internal static void Write(Database database, SyncNames names, Candidate candidate) =>
        database.Prepared(Put).Bind(1, names.Number(candidate.Sync)).Bind(2, (long)candidate.Side)
            .Bind(3, candidate.Key.Json).Bind(4, candidate.Match).Run();

    internal static void Remove(Database database, SyncNames names, string sync, Side side, RecordKey key) =>
        database.Prepared(Delete).Bind(1, names.Number(sync)).Bind(2, (long)side).Bind(3, key.Json).Run();

    internal static List<Candidate> Find(Database database, SyncNames names, string sync, Side side, string match,
        int limit) =>
        database.Prepared(FindByMatch)
            .Bind(1, names.Number(sync)).Bind(2, match).Bind(3, (long)side).Bind(4, limit)
            .All(row => new Candidate(sync, side, RecordKey.FromJson(row.Text(0)), match));

    internal static CandidateCounts Count(Database database, SyncNames names, string sync)
    {
        var number = names.Number(sync);
        var matched = database.Prepared(Tally).Bind(1, number).First(static row =>
            new CandidateCounts(row.Int64(0), row.Int64(1), row.Int64(2), row.Int64(3), row.Int64(4)));
        return database.Prepared(Unmatched).Bind(1, number).First(row =>
            matched with { OnlyA = matched.OnlyA + row.Int64(0), OnlyB = matched.OnlyB + row.Int64(1) });
    }
}
