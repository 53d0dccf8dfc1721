using System.Runtime.InteropServices;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;
using Microsoft.Extensions.Logging;

namespace Duplex.Storage.Embedded.Commits;

/// <summary>
/// The one thread that writes to a database. It takes every request that waits, applies them in one transaction, and
/// tells all callers after the one fsync. While the disk is full it refuses everything and tries a write of its own
/// until one succeeds; after a failed fsync or a damaged page it refuses everything for good.
/// </summary>
internal sealed partial class GroupWriter : IAsyncDisposable
{
    private const int RequestsMax = 4096;
    private const int BytesMax = 16 << 20;

    private readonly Database _database;
    private readonly IGroupObserver? _observer;
    private readonly Checkpointer _checkpointer;
    private readonly ILogger _logger;
    private readonly Queue<WriteRequest> _waiting = new();
    private readonly List<WriteRequest> _group = [];
    private readonly Thread _thread;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _probeMilliseconds;
    private readonly TaskCompletionSource<SyncError> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile SyncError? _obstacle;
    private bool _stopping;
    private long _probeAt;

    public GroupWriter(Database database, IGroupObserver? observer, ILogger logger, TimeSpan probeInterval)
    {
        _database = database;
        _observer = observer;
        _checkpointer = new Checkpointer(database);
        _logger = logger;
        _probeMilliseconds = (int)probeInterval.TotalMilliseconds;
        _database.Execute("CREATE TABLE IF NOT EXISTS probe (filler BLOB)");
        _thread = new Thread(Run)
        {
            IsBackground = true,
            Name = $"duplex writer {Path.GetFileName(database.FilePath)}",
        };
    }

    /// <summary>Why nothing is written at the moment; null while all is well.</summary>
    public SyncError? Obstacle => _obstacle;

    /// <summary>Completes with the obstacle that only a fresh process can be rid of. Damage is none of these: it is
    /// still there for the next one.</summary>
    public Task<SyncError> Failed => _failed.Task;

    public void Start()
    {
        _checkpointer.Start();
        _thread.Start();
    }

    /// <summary>Hands a request to the writer. Its outcome comes through the request.</summary>
    public void Enqueue(WriteRequest request)
    {
        lock (_waiting)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            _waiting.Enqueue(request);
            if (_waiting.Count == 1)
            {
                Monitor.Pulse(_waiting);
            }
        }
    }

    /// <summary>Hands a request to the writer and waits for its outcome.</summary>
    public Task<T> RunAsync<T>(WriteRequest<T> request)
    {
        Enqueue(request);
        return request.Completion;
    }

    /// <summary>Writes what waits, then ends the thread and closes the database.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_waiting)
        {
            if (!_stopping)
            {
                _stopping = true;
                Monitor.Pulse(_waiting);
            }
        }

        await _stopped.Task.ConfigureAwait(false);
    }

    private void Run()
    {
        try
        {
            while (TakeGroup())
            {
                Attempt(CollectionsMarshal.AsSpan(_group));
                _group.Clear();
                ProbeWhenDue();
            }
        }
        finally
        {
            _checkpointer.Dispose();
            _database.Dispose();
            _stopped.TrySetResult();
        }
    }

    private bool TakeGroup()
    {
        lock (_waiting)
        {
            while (_waiting.Count == 0)
            {
                if (_stopping)
                {
                    return false;
                }

                if (_obstacle is { Code: ErrorCode.StorageFull })
                {
                    if (!Monitor.Wait(_waiting, _probeMilliseconds))
                    {
                        return true;
                    }
                }
                else
                {
                    Monitor.Wait(_waiting);
                }
            }

            var bytes = 0L;
            while (_group.Count < RequestsMax && bytes < BytesMax && _waiting.TryDequeue(out var request))
            {
                bytes += request.Bytes;
                _group.Add(request);
            }

            return true;
        }
    }

    private void Attempt(ReadOnlySpan<WriteRequest> group)
    {
        if (group.IsEmpty)
        {
            return;
        }

        if (_obstacle is null)
        {
            CommitGroup(group);
            Checkpoint();
            return;
        }

        foreach (ref readonly var request in group)
        {
            if (_obstacle is { Code: ErrorCode.StorageFull } && request.FreesRoom)
            {
                CommitGroup(new ReadOnlySpan<WriteRequest>(in request));
            }
            else
            {
                request.Fail(new SyncException(_obstacle!));
            }
        }
    }

    private void CommitGroup(ReadOnlySpan<WriteRequest> group)
    {
        try
        {
            _database.Begin();
            foreach (var request in group)
            {
                Apply(request);
            }

            _observer?.Committing();
            _database.Commit();
        }
        catch (Exception e)
        {
            Abandon(group, e);
            return;
        }

        _observer?.Committed();
        foreach (var request in group)
        {
            if (request.Refusal is null)
            {
                request.Succeed();
            }
            else
            {
                request.Fail(request.Refusal);
            }
        }
    }

    private void Apply(WriteRequest request)
    {
        if (!request.NeedsSavepoint)
        {
            try
            {
                request.Apply();
            }
            catch (Exception e) when (e is SyncException or OperationCanceledException)
            {
                request.Refusal = e;
            }

            return;
        }

        _database.Prepared("SAVEPOINT one").Run();
        try
        {
            request.Apply();
        }
        catch (Exception e) when (e is not SqliteException)
        {
            request.Refusal = e;
            _database.Prepared("ROLLBACK TO one").Run();
        }

        _database.Prepared("RELEASE one").Run();
    }

    private void Abandon(ReadOnlySpan<WriteRequest> group, Exception cause)
    {
        try
        {
            _database.Rollback();
        }
        catch (SqliteException e)
        {
            cause = e;
        }

        _observer?.RolledBack();
        if (cause is SqliteException failure && StorageFault.IsOfTheDisk(failure))
        {
            var error = StorageFault.Describe(failure, _database.FilePath);
            Obstruct(error);
            Fail(group, new SyncException(error, failure));
        }
        else if (group.Length > 1 && cause is not SqliteException { Code: SqliteNative.Busy })
        {
            // The disk is sound and nobody else holds it, so one request is the cause; alone, it fails alone.
            for (var index = 0; index < group.Length; index++)
            {
                group[index].Refusal = null;
                Attempt(group.Slice(index, 1));
            }
        }
        else
        {
            Fail(group, Unexpected(cause));
        }
    }

    private SyncException Unexpected(Exception cause) => cause is SqliteException failure
        ? new SyncException(StorageFault.Describe(failure, _database.FilePath), failure)
        : new SyncException(ErrorCode.Internal, "Writing to the store failed by a bug in Duplex.",
            innerException: cause);

    private static void Fail(ReadOnlySpan<WriteRequest> group, Exception error)
    {
        foreach (var request in group)
        {
            request.Fail(request.Refusal ?? error);
        }
    }

    private void Checkpoint()
    {
        try
        {
            _checkpointer.AfterCommit();
        }
        catch (SqliteException e)
        {
            Obstruct(StorageFault.Describe(e, _database.FilePath));
        }
    }

    private void Obstruct(SyncError error)
    {
        if (_obstacle?.Code != error.Code)
        {
            Log.Obstructed(_logger, error.ToString(), error.Detail);
        }

        _obstacle = error;
        if (error.Code == ErrorCode.StorageFailed)
        {
            _failed.TrySetResult(error);
        }

        _probeAt = Environment.TickCount64 + _probeMilliseconds;
    }

    private void ProbeWhenDue()
    {
        if (_obstacle is not { Code: ErrorCode.StorageFull } || Environment.TickCount64 < _probeAt)
        {
            return;
        }

        try
        {
            _checkpointer.Restart();
            Probe();
            _obstacle = null;
            Log.Resumed(_logger, _database.FilePath);
        }
        catch (SqliteException e)
        {
            AfterFailedProbe(e);
        }
    }

    /// <summary>Asks for more room than a usual commit needs, so that the store does not resume for one commit
    /// only.</summary>
    private void Probe()
    {
        _database.Begin();
        _database.Prepared("INSERT INTO probe (filler) VALUES (zeroblob(262144))").Run();
        _database.Commit();
        _database.Begin();
        _database.Prepared("DELETE FROM probe").Run();
        _database.Commit();
        _checkpointer.AfterCommit();
    }

    private void AfterFailedProbe(SqliteException failure)
    {
        try
        {
            _database.Rollback();
        }
        catch (SqliteException e)
        {
            failure = e;
        }

        Obstruct(StorageFault.Describe(failure, _database.FilePath));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Nothing is written until this is solved: {Error} ({Detail})")]
        public static partial void Obstructed(ILogger logger, string error, string? detail);

        [LoggerMessage(2, LogLevel.Information, "{File} takes writes again")]
        public static partial void Resumed(ILogger logger, string file);
    }
}
