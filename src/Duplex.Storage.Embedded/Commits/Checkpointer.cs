using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Commits;

/// <summary>
/// Moves pages from the write-ahead log into the database file. The bulk is moved on a thread and a connection of its
/// own beside the commits; the writer moves the little that came meanwhile, after which the log starts anew.
/// </summary>
internal sealed class Checkpointer : IDisposable
{
    private const long BytesBetween = 16L << 20;
    private const long BytesMax = 128L << 20;
    private const int RestartMilliseconds = 200;
    private const string MovePages = "PRAGMA wal_checkpoint(PASSIVE)";
    private const string MovePagesAndRestart = "PRAGMA wal_checkpoint(RESTART)";

    private readonly Database _database;
    private readonly AutoResetEvent _wanted = new(false);
    private readonly Thread _thread;
    private readonly int _pagesBetween;
    private readonly int _pagesMax;
    private int _attemptedAt;
    private volatile bool _moving;
    private volatile bool _moved;
    private volatile bool _stopping;
    private volatile SqliteException? _failure;

    public Checkpointer(Database database)
    {
        _database = database;
        _pagesBetween = (int)(BytesBetween / database.PageBytes);
        _pagesMax = (int)(BytesMax / database.PageBytes);
        _thread = new Thread(MoveInBackground)
        {
            IsBackground = true,
            Name = $"duplex checkpoints {Path.GetFileName(database.FilePath)}",
        };
    }

    public void Start() => _thread.Start();

    /// <summary>Called after every commit, on the writer's thread.</summary>
    /// <exception cref="SqliteException">The disk failed, here or in the background.</exception>
    public void AfterCommit()
    {
        if (_failure is { } failure)
        {
            throw failure;
        }

        var pages = _database.WalPages;
        if (_moved)
        {
            _moved = false;
            _attemptedAt = pages;
            if (pages > _pagesMax)
            {
                RestartWithin(RestartMilliseconds);
            }
            else
            {
                Run(_database, MovePages);
            }
        }
        else if (pages < _attemptedAt)
        {
            _attemptedAt = 0;
        }
        else if (pages - _attemptedAt >= _pagesBetween && !_moving)
        {
            _moving = true;
            _wanted.Set();
        }
    }

    /// <summary>Makes the space of the write-ahead log usable again: all that there may be on a full disk.</summary>
    public void Restart() => RestartWithin(RestartMilliseconds);

    public void Dispose()
    {
        _stopping = true;
        _wanted.Set();
        _thread.Join();
        _wanted.Dispose();
    }

    // Readers that overlap each other for ever would keep the log from starting anew; a restart holds off commits until
    // they are done, so it waits for them only so long.
    private void RestartWithin(int milliseconds)
    {
        _database.WaitForOthers(milliseconds);
        try
        {
            Run(_database, MovePagesAndRestart);
        }
        finally
        {
            _database.WaitForOthers(Database.BusyMilliseconds);
        }
    }

    private void MoveInBackground()
    {
        Database? database = null;
        try
        {
            while (_wanted.WaitOne() && !_stopping)
            {
                database ??= Database.OpenCheckpointer(_database.FilePath);
                Run(database, MovePages);
                _moved = true;
                _moving = false;
            }
        }
        catch (SqliteException e)
        {
            _failure = e;
        }
        finally
        {
            database?.Dispose();
        }
    }

    private static void Run(Database database, string sql)
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
