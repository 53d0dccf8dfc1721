using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Duplex.Storage.Embedded.Sqlite;

/// <summary>One connection to a SQLite file; used by one thread at a time. Statements are prepared once per SQL
/// text.</summary>
internal sealed unsafe class Database : IDisposable
{
    /// <summary>How long a statement waits for another connection's lock.</summary>
    public const int BusyMilliseconds = 10_000;

    private const uint PreparePersistent = 1;

    private readonly Dictionary<string, Statement> _statements = new(ReferenceEqualityComparer.Instance);
    private readonly GCHandle _self;
    private nint _handle;

    static Database() => SqliteLibrary.Route();

    private Database(string path)
    {
        FilePath = path;
        var flags = SqliteNative.OpenReadWrite | SqliteNative.OpenCreate | SqliteNative.OpenNoMutex;
        var result = SqliteNative.sqlite3_open_v2(path, out _handle, flags, null);
        if (result != SqliteNative.Ok)
        {
            var failure = Failure(result);
            _ = SqliteNative.sqlite3_close_v2(_handle);
            throw failure;
        }

        _self = GCHandle.Alloc(this, GCHandleType.Weak);
        _ = SqliteNative.sqlite3_extended_result_codes(_handle, 1);
        _ = SqliteNative.sqlite3_busy_timeout(_handle, BusyMilliseconds);
    }

    /// <summary>The database file.</summary>
    public string FilePath { get; }

    /// <summary>The size of the file's pages.</summary>
    public int PageBytes => int.Parse(Query("PRAGMA page_size"), CultureInfo.InvariantCulture);

    /// <summary>Pages in the write-ahead log after the last commit of this connection.</summary>
    public int WalPages { get; private set; }

    /// <summary>Rows that the last statement inserted, updated or deleted.</summary>
    public int Changes => SqliteNative.sqlite3_changes(_handle);

    /// <summary>The row number of the last insert.</summary>
    public long LastRowId => SqliteNative.sqlite3_last_insert_rowid(_handle);

    /// <summary>Whether a transaction is open.</summary>
    public bool InTransaction => SqliteNative.sqlite3_get_autocommit(_handle) == 0;

    /// <summary>
    /// Opens the only connection that writes. Commits are on disk when they return (WAL, synchronous FULL); checkpoints
    /// are the caller's. Whatever an earlier process left in the write-ahead log is moved into the file first: if an
    /// fsync of that process failed, this writes the pages anew.
    /// </summary>
    public static Database OpenWriter(string path, int pageBytes, int cacheBytes, long bytesMax)
    {
        var database = new Database(path);
        try
        {
            database.Execute($"PRAGMA page_size = {pageBytes}");
            database.Require("PRAGMA journal_mode = WAL", "wal");
            database.Execute("PRAGMA synchronous = FULL");
            database.Require("PRAGMA synchronous", "2");
            database.Execute("PRAGMA wal_autocheckpoint = 0");
            database.Execute("PRAGMA journal_size_limit = 67108864");
            database.Execute($"PRAGMA cache_size = -{cacheBytes / 1024}");
            database.Execute("PRAGMA temp_store = MEMORY");
            if (bytesMax > 0)
            {
                database.Execute($"PRAGMA max_page_count = {Math.Max(1, bytesMax / pageBytes)}");
            }

            database.MoveWalIntoFile();
            _ = SqliteNative.sqlite3_wal_hook(database._handle, &OnWal, GCHandle.ToIntPtr(database._self));
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Opens a connection that only reads.</summary>
    public static Database OpenReader(string path) =>
        Open(path, "PRAGMA query_only = 1; PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY");

    /// <summary>Opens a connection that only moves pages from the write-ahead log into the file, and syncs
    /// them.</summary>
    public static Database OpenCheckpointer(string path) =>
        Open(path, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");

    /// <summary>Sets how long statements wait for another connection's lock.</summary>
    public void WaitForOthers(int milliseconds) => _ = SqliteNative.sqlite3_busy_timeout(_handle, milliseconds);

    /// <summary>The statement for a SQL text, which must be a constant: statements are found by the string's
    /// identity.</summary>
    public Statement Prepared(string sql)
    {
        ref var statement = ref CollectionsMarshal.GetValueRefOrAddDefault(_statements, sql, out _);
        return statement ??= Prepare(sql);
    }

    /// <summary>Runs one or more statements once.</summary>
    public void Execute(string sql)
    {
        var bytes = Encoding.UTF8.GetBytes(sql + '\0');
        fixed (byte* start = bytes)
        {
            var next = start;
            while (*next != 0)
            {
                var length = (int)(bytes.Length - (next - start));
                var result = SqliteNative.sqlite3_prepare_v3(_handle, next, length, 0, out var handle, out next);
                if (result != SqliteNative.Ok)
                {
                    throw Failure(result);
                }

                if (handle != 0)
                {
                    using var statement = new Statement(this, handle);
                    statement.Run();
                }
            }
        }
    }

    /// <summary>The first column of the first row as text.</summary>
    public string Query(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() ? statement.Text(0) : "";
    }

    public void Begin() => Prepared("BEGIN IMMEDIATE").Run();

    public void BeginRead() => Prepared("BEGIN").Run();

    public void Commit() => Prepared("COMMIT").Run();

    /// <summary>Ends the open transaction, if there is one, without its effects.</summary>
    public void Rollback()
    {
        if (InTransaction)
        {
            Prepared("ROLLBACK").Run();
        }
    }

    /// <summary>What SQLite says about the last failure.</summary>
    public SqliteException Failure(int result)
    {
        if (_handle == 0)
        {
            return new SqliteException(result, 0, "no memory");
        }

        var extended = SqliteNative.sqlite3_extended_errcode(_handle);
        var message = Marshal.PtrToStringUTF8((nint)SqliteNative.sqlite3_errmsg(_handle)) ?? "";
        return new SqliteException((extended & 0xFF) == (result & 0xFF) ? extended : result,
            SqliteNative.sqlite3_system_errno(_handle), message);
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _statements.Clear();
        var handle = Interlocked.Exchange(ref _handle, 0);
        if (handle != 0)
        {
            _ = SqliteNative.sqlite3_close_v2(handle);
            _self.Free();
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnWal(nint context, nint db, byte* name, int pages)
    {
        if (GCHandle.FromIntPtr(context).Target is Database database)
        {
            database.WalPages = pages;
        }

        return SqliteNative.Ok;
    }

    private static Database Open(string path, string settings)
    {
        var database = new Database(path);
        try
        {
            database.Execute(settings);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private void MoveWalIntoFile()
    {
        try
        {
            Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException e) when (StorageFault.IsFull(e))
        {
            // What is in the write-ahead log stays readable there; a store opens on a full disk, so that it can tell
            // so.
        }
    }

    private Statement Prepare(string sql)
    {
        var bytes = Encoding.UTF8.GetBytes(sql);
        fixed (byte* start = bytes)
        {
            var result = SqliteNative.sqlite3_prepare_v3(
                _handle, start, bytes.Length, PreparePersistent, out var handle, out _);
            return result == SqliteNative.Ok ? new Statement(this, handle) : throw Failure(result);
        }
    }

    private void Require(string sql, string expected)
    {
        var actual = Query(sql);
        if (actual != expected)
        {
            throw new SqliteException(SqliteNative.CantOpen, 0,
                $"{sql} answers {actual} instead of {expected}; the file system does not support what Duplex needs");
        }
    }
}
