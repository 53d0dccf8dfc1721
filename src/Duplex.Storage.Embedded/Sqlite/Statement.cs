using System.Buffers;
using System.Text;

namespace Duplex.Storage.Embedded.Sqlite;

/// <summary>A prepared statement of one <see cref="Database"/>; used by one thread at a time. Parameters count from 1,
/// columns from 0.</summary>
internal sealed unsafe class Statement(Database database, nint handle) : IDisposable
{
    private nint _handle = handle;

    public Statement Bind(int index, long value)
    {
        Check(SqliteNative.sqlite3_bind_int64(_handle, index, value));
        return this;
    }

    public Statement Bind(int index, string? value)
    {
        if (value is null)
        {
            Check(SqliteNative.sqlite3_bind_null(_handle, index));
            return this;
        }

        byte[]? rented = null;
        var most = Encoding.UTF8.GetMaxByteCount(value.Length);
        var bytes = most <= 512 ? stackalloc byte[512] : rented = ArrayPool<byte>.Shared.Rent(most);
        var length = Encoding.UTF8.GetBytes(value, bytes);
        fixed (byte* pointer = bytes)
        {
            Check(SqliteNative.sqlite3_bind_text(_handle, index, pointer, length, SqliteNative.Transient));
        }

        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return this;
    }

    public Statement Bind(int index, ReadOnlySpan<byte> blob)
    {
        // A null pointer would bind NULL, which is not the same as no bytes.
        if (blob.IsEmpty)
        {
            Check(SqliteNative.sqlite3_bind_zeroblob(_handle, index, 0));
            return this;
        }

        fixed (byte* pointer = blob)
        {
            Check(SqliteNative.sqlite3_bind_blob(_handle, index, pointer, blob.Length, SqliteNative.Transient));
        }

        return this;
    }

    /// <summary>True when a row is there, false when the statement is done.</summary>
    public bool Step()
    {
        var result = SqliteNative.sqlite3_step(_handle);
        if (result == SqliteNative.Row)
        {
            return true;
        }

        if (result == SqliteNative.Done)
        {
            return false;
        }

        var failure = database.Failure(result);
        _ = SqliteNative.sqlite3_reset(_handle);
        throw failure;
    }

    /// <summary>Runs the statement to its end and makes it ready for the next use.</summary>
    public void Run()
    {
        while (Step())
        {
        }

        Reset();
    }

    /// <summary>Makes it ready for the next use; the spans of its row are gone.</summary>
    public void Reset() => _ = SqliteNative.sqlite3_reset(_handle);

    /// <summary>Runs the statement and returns the first column of its first row.</summary>
    public long? Scalar() => First(static row => row.IsNull(0) ? (long?)null : row.Int64(0));

    /// <summary>Runs the statement and returns what is read from its first row; nothing if it has none.</summary>
    public T? First<T>(Func<Statement, T> read)
    {
        try
        {
            return Step() ? read(this) : default;
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Runs the statement and returns what is read from each of its rows.</summary>
    public List<T> All<T>(Func<Statement, T> read)
    {
        var all = new List<T>();
        try
        {
            while (Step())
            {
                all.Add(read(this));
            }
        }
        finally
        {
            Reset();
        }

        return all;
    }

    public bool IsNull(int column) => SqliteNative.sqlite3_column_type(_handle, column) == SqliteNative.TypeNull;

    public long Int64(int column) => SqliteNative.sqlite3_column_int64(_handle, column);

    public int Int32(int column) => checked((int)Int64(column));

    public string Text(int column)
    {
        var pointer = SqliteNative.sqlite3_column_text(_handle, column);
        return pointer is null
            ? "" : Encoding.UTF8.GetString(pointer, SqliteNative.sqlite3_column_bytes(_handle, column));
    }

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    /// <summary>The bytes of a column; valid until the next step or reset.</summary>
    public ReadOnlySpan<byte> Blob(int column)
    {
        var pointer = SqliteNative.sqlite3_column_blob(_handle, column);
        return pointer is null
            ? [] : new ReadOnlySpan<byte>(pointer, SqliteNative.sqlite3_column_bytes(_handle, column));
    }

    public void Dispose()
    {
        var handle = Interlocked.Exchange(ref _handle, 0);
        if (handle != 0)
        {
            _ = SqliteNative.sqlite3_finalize(handle);
        }
    }

    private void Check(int result)
    {
        if (result != SqliteNative.Ok)
        {
            throw database.Failure(result);
        }
    }
}
