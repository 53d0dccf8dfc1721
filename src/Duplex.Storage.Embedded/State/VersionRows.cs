using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>The version that a leg knows of each record that has one, and the legs whose versions are to go.</summary>
internal static class VersionRows
{
    internal const string Tables = """
        CREATE TABLE IF NOT EXISTS version (
            leg INTEGER NOT NULL, stream TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL,
            PRIMARY KEY (leg, stream, key)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS forgotten_version (leg INTEGER PRIMARY KEY);

        """;

    private const string Put = """
        INSERT INTO version (leg, stream, key, version) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (leg, stream, key) DO UPDATE SET version = excluded.version
        """;

    private const string Delete = "DELETE FROM version WHERE leg = ?1 AND stream = ?2 AND key = ?3";
    private const string FindOne = "SELECT version FROM version WHERE leg = ?1 AND stream = ?2 AND key = ?3";
    private const string PutForgotten = "INSERT OR IGNORE INTO forgotten_version (leg) VALUES (?1)";
    private const string FirstForgotten = "SELECT min(leg) FROM forgotten_version";
    private const string DeleteForgotten = "DELETE FROM forgotten_version WHERE leg = ?1";

    private const string DeleteSome = """
        DELETE FROM version WHERE leg = ?1 AND (stream, key) IN (
            SELECT stream, key FROM version WHERE leg = ?1 ORDER BY stream, key LIMIT ?2)
        """;

    internal static void Write(Database database, SyncNames names, StateMutation.PutVersion put)
    {
        var row = database.Prepared(put.Version is null ? Delete : Put)
            .Bind(1, names.Leg(put.Leg)).Bind(2, put.Stream).Bind(3, put.Key.Json);
        (put.Version is null ? row : row.Bind(4, put.Version)).Run();
    }

    internal static string?[] Find(
        Database database, SyncNames names, LegId leg, string stream, IReadOnlyList<RecordKey> keys)
    {
        var found = new string?[keys.Count];
        var row = database.Prepared(FindOne);
        for (var index = 0; index < found.Length; index++)
        {
            found[index] = row.Bind(1, names.Leg(leg)).Bind(2, stream).Bind(3, keys[index].Json)
                .First(static one => one.Text(0));
        }

        return found;
    }

    internal static void Forget(Database database, SyncNames names, LegId leg)
    {
        // A leg that nothing was ever stored for has no number, and no versions.
        if (names.IsKnown(leg.Sync))
        {
            database.Prepared(PutForgotten).Bind(1, names.Leg(leg)).Run();
        }
    }

    /// <summary>Removes versions of a leg that is gone, at most so many. Returns how many went; 0 when none is left.</summary>
    internal static int RemoveForgotten(Database database, int limit)
    {
        while (database.Prepared(FirstForgotten).Scalar() is { } leg)
        {
            database.Prepared(DeleteSome).Bind(1, leg).Bind(2, limit).Run();
            if (database.Changes > 0)
            {
                return database.Changes;
            }

            database.Prepared(DeleteForgotten).Bind(1, leg).Run();
        }

        return 0;
    }
}
