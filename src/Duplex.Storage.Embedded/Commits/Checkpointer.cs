using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Commits;

/// <summary>Moves pages from the write-ahead log into the database file, often enough that the log stays small.</summary>
internal sealed class Checkpointer(Database database)
{
    private const int PagesBetween = 2_000;
    private const int PagesMax = 16_000;
    private const string RestartLog = "PRAGMA wal_checkpoint(RESTART)";
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

        // Readers that overlap each other for ever would keep the log from starting anew; RESTART waits for them.
        Run(pages > PagesMax ? RestartLog : "PRAGMA wal_checkpoint(PASSIVE)");
    }

    /// <summary>Makes the space of the write-ahead log usable again: all that there may be on a full disk.</summary>
    public void Restart() => Run(RestartLog);

    private void Run(string sql)
    {
        try
        {
            database.Prepared(sql).Run();
        }
        catch (SqliteException e) when (StorageFault.IsFull(e) || e.Code == SqliteNative.Busy)
        {
            // The commits are safe in the write-ahead log; the next commit finds out whether there is room.
        }
    }
}
