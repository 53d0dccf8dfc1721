using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Commits;

/// <summary>Moves pages from the write-ahead log into the database file, often enough that the log stays small.</summary>
internal sealed class Checkpointer(Database database)
{
    private const int PagesBetween = 2_000;
    private const int PagesMax = 16_000;
    private int _attemptedAt;

    /// <summary>Called after every commit, on the writer's thread.</summary>
    public void AfterCommit()
    {
        var pages = database.WalPages;
        if (pages < _attemptedAt)
        {
            _attemptedAt = 0;
        }

        if (pages - _attemptedAt < PagesBetween)
        {
            return;
        }

        _attemptedAt = pages;
        try
        {
            // Readers that overlap each other for ever would keep the log from starting anew; RESTART waits for them.
            var sql = pages > PagesMax ? "PRAGMA wal_checkpoint(RESTART)" : "PRAGMA wal_checkpoint(PASSIVE)";
            database.Prepared(sql).Run();
        }
        catch (SqliteException e) when (StorageFault.IsFull(e) || e.Code == SqliteNative.Busy)
        {
            // The commits are safe in the write-ahead log; the next commit finds out whether there is room.
        }
    }
}
