using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>
/// How many rows there are of what people ask for all the time, kept within the transaction that changes the rows: a count
/// is one row to read, however many rows it counts, and is rolled back with them. Triggers count what is rare; links, which
/// come by the million and would each pay for a trigger, are counted by what writes them (<see cref="LinkCounts"/>).
/// </summary>
internal static class Tallies
{
    /// <summary>Pending records, by leg. The lower kinds are the states of links, by sync.</summary>
    internal const int Pending = 3;

    /// <summary>Dead letters, by leg.</summary>
    internal const int DeadLetters = 4;

    /// <summary>Conflicts that wait, by sync. Those that are decided are the kind after.</summary>
    internal const int ConflictsWaiting = 5;

    /// <summary>The table, what keeps it, and the counts of rows that were there before.</summary>
    internal static readonly string Tables = string.Concat(
        """
        CREATE TABLE IF NOT EXISTS tally (
            kind INTEGER NOT NULL, owner INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (kind, owner)) WITHOUT ROWID;

        """,
        Seed("link", "sync", "state"),
        Count("pending", "leg", static _ => $"{Pending}"),
        Count("dead_letter", "leg", static _ => $"{DeadLetters}"),
        Count("conflict", "sync", static row => $"{ConflictsWaiting} + ({row}.winner IS NOT NULL)"));

    private const string One = "SELECT number FROM tally WHERE kind = ?1 AND owner = ?2";

    internal static long Read(Database database, int kind, long owner) =>
        database.Prepared(One).Bind(1, kind).Bind(2, owner).Scalar() ?? 0;

    private static string Count(string table, string owner, Func<string, string> kind)
    {
        var more = $"INSERT INTO tally VALUES ({kind("new")}, new.{owner}, 1) "
            + "ON CONFLICT (kind, owner) DO UPDATE SET number = number + 1;";
        var less = $"UPDATE tally SET number = number - 1 WHERE kind = {kind("old")} AND owner = old.{owner};";
        return $"""
            CREATE TRIGGER IF NOT EXISTS {table}_came AFTER INSERT ON {table} BEGIN {more} END;
            CREATE TRIGGER IF NOT EXISTS {table}_went AFTER DELETE ON {table} BEGIN {less} END;
            CREATE TRIGGER IF NOT EXISTS {table}_moved AFTER UPDATE ON {table} WHEN {kind("old")} <> {kind("new")}
                BEGIN {less} {more} END;
            {Seed(table, owner, kind(table))}
            """;
    }

    private static string Seed(string table, string owner, string kind) =>
        $"INSERT OR IGNORE INTO tally SELECT {kind}, {owner}, count(*) FROM {table} GROUP BY 1, 2;\n";
}
