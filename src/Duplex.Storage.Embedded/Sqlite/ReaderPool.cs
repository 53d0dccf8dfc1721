using Duplex.Sdk;

namespace Duplex.Storage.Embedded.Sqlite;

/// <summary>Connections for readers beside the one writer. At most <paramref name="connectionsMax"/> reads run at once;
/// more wait.</summary>
internal sealed class ReaderPool(string path, int connectionsMax) : IDisposable
{
    private readonly SemaphoreSlim _permits = new(connectionsMax);
    private readonly Stack<Database> _idle = new();
    private bool _disposed;

    /// <summary>Runs a read in one snapshot of the database.</summary>
    public async ValueTask<TResult> ReadAsync<TArgument, TResult>(
        TArgument argument, Func<Database, TArgument, TResult> read, CancellationToken cancellationToken)
    {
        await _permits.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return ReadOnce(argument, read);
        }
        catch (SqliteException e)
        {
            throw new SyncException(StorageFault.Describe(e, path), e);
        }
        finally
        {
            _permits.Release();
        }
    }

    public void Dispose()
    {
        lock (_idle)
        {
            _disposed = true;
            while (_idle.TryPop(out var database))
            {
                database.Dispose();
            }
        }
    }

    private TResult ReadOnce<TArgument, TResult>(TArgument argument, Func<Database, TArgument, TResult> read)
    {
        var database = Rent();
        try
        {
            database.BeginRead();
            var result = read(database, argument);
            database.Commit();
            Return(database);
            return result;
        }
        catch
        {
            // A statement may be left in the middle of its rows; a fresh connection is cheaper than finding out which.
            database.Dispose();
            throw;
        }
    }

    private Database Rent()
    {
        lock (_idle)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_idle.TryPop(out var database))
            {
                return database;
            }
        }

        return Database.OpenReader(path);
    }

    private void Return(Database database)
    {
        lock (_idle)
        {
            if (!_disposed)
            {
                _idle.Push(database);
                return;
            }
        }

        database.Dispose();
    }
}
