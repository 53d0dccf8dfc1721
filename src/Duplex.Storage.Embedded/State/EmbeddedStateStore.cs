using System.Security.Cryptography;
using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Commits;
using Duplex.Storage.Embedded.Sqlite;
using Duplex.Storage.Embedded.State;

namespace Duplex.Storage.Embedded;

/// <summary>The state store in <c>state.db</c>, a SQLite file in the data directory. One process at a time.</summary>
public sealed class EmbeddedStateStore : IStateStore
{
    private const int ReadersMax = 8;
    private const int RowsPerStep = 2_000;
    private const string InstallationName = "installation";

    private readonly DirectoryLock _lock;
    private readonly Database _database;
    private readonly TimeProvider _clock;
    private readonly SyncNames _names = new();
    private readonly LinkNumbers _numbers;
    private readonly GroupWriter _writer;
    private readonly ReaderPool _readers;
    private int _disposed;

    private EmbeddedStateStore(DirectoryLock directoryLock, Database database, EmbeddedOptions options)
    {
        _lock = directoryLock;
        _database = database;
        _clock = options.Clock;
        _names.Load(database);
        _numbers = LinkNumbers.Open(database);
        Installation = ReadInstallation(database);
        _writer = new GroupWriter(
            database, null, options.Loggers.CreateLogger(typeof(EmbeddedStateStore).FullName!), options.ProbeInterval);
        _readers = new ReaderPool(database.FilePath, ReadersMax);
        _writer.Start();
    }

    /// <inheritdoc/>
    public string Installation { get; }

    /// <inheritdoc/>
    public SyncError? Obstacle => _writer.Obstacle;

    /// <inheritdoc/>
    public Task<SyncError> Failed => _writer.Failed;

    /// <summary>
    /// Opens the store in the data directory, and makes it if it is not there. What a killed process left is recovered
    /// first.
    /// </summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageFenced"/>: another process has the directory open.
    /// <see cref="ErrorCode.StorageUnreadable"/>: damaged, or written by a later version.
    /// <see cref="ErrorCode.StorageFull"/>, <see cref="ErrorCode.StorageFailed"/>: the disk.</exception>
    public static ValueTask<EmbeddedStateStore> OpenAsync(
        string directory, EmbeddedOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        cancellationToken.ThrowIfCancellationRequested();
        options ??= new EmbeddedOptions();
        var opened = StoreFile.Open(directory, StateSql.Schema, options);
        try
        {
            return ValueTask.FromResult(new EmbeddedStateStore(opened.Lock, opened.Database, options));
        }
        catch (Exception e)
        {
            throw opened.Abandon(e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> AcquireAsync(string owner, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await _writer.RunAsync(new ActionRequest<long>(
            () => _database.Prepared(StateSql.Acquire).Bind(1, owner).Scalar()!.Value)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask CommitAsync(StateCommit commit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(commit);
        cancellationToken.ThrowIfCancellationRequested();
        foreach (var sync in _names.Unknown(commit) ?? [])
        {
            var number = await _writer.RunAsync(new ActionRequest<long>(() => SyncNames.Insert(_database, sync)))
                .ConfigureAwait(false);
            _names.Add(sync, number);
        }

        await _writer.RunAsync(new CommitRequest(_database, _names, commit, _clock)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public long NextLinkId() => _numbers.Next(_writer);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Link?>> FindLinksAsync(
        string sync, Side side, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<Link?>>(db => LinkRows.Find(db, _names, sync, side, keys), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Link>> ListLinksAsync(
        string sync, long afterId, int limit, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<Link>>(db => LinkRows.ListAfter(db, _names, sync, afterId, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> CountLinksAsync(string sync, LinkState state, CancellationToken cancellationToken) =>
        ReadAsync(db => LinkRows.Count(db, _names, sync, state), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LegPosition>> ReadPositionsAsync(LegId leg, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<LegPosition>>(db => ReadPositions(db, leg), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Pending?>> FindPendingAsync(
        LegId leg, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<Pending?>>(db => PendingRows.Find(db, _names, leg, keys), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Pending>> ListDueAsync(
        LegId leg, long nowMicros, int limit, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<Pending>>(db => PendingRows.ListDue(db, _names, leg, nowMicros, limit),
            cancellationToken);

    /// <inheritdoc/>
    public ValueTask<(long Count, long OldestSinceMicros)> CountPendingAsync(LegId leg,
        CancellationToken cancellationToken) =>
        ReadAsync(db => PendingRows.Count(db, _names, leg), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long?> NextDueAsync(LegId leg, CancellationToken cancellationToken) =>
        ReadAsync(db => PendingRows.NextDue(db, _names, leg), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Intent>> ListIntentsAsync(LegId leg, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<Intent>>(db => IntentRows.List(db, _names, leg), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Candidate>> FindCandidatesAsync(
        string sync, Side side, string match, int limit, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<Candidate>>(
            db => CandidateRows.Find(db, _names, sync, side, match, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<CandidateCounts> CountCandidatesAsync(string sync, CancellationToken cancellationToken) =>
        ReadAsync(db => CandidateRows.Count(db, _names, sync), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(
        string? sync, long beforeId, int limit, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<DeadLetter>>(
            db => DeadLetterRows.List(db, _names, sync, beforeId, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeadLetter?> FindDeadLetterAsync(long id, CancellationToken cancellationToken) =>
        ReadAsync(db => DeadLetterRows.Find(db, _names, id), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DeadLetter?>> FindDeadLettersAsync(
        LegId leg, string stream, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<DeadLetter?>>(db => DeadLetterRows.Find(db, _names, leg, stream, keys), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> CountDeadLettersAsync(LegId leg, CancellationToken cancellationToken) =>
        ReadAsync(db => DeadLetterRows.Count(db, _names, leg), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string?>> FindVersionsAsync(
        LegId leg, string stream, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<string?>>(db => VersionRows.Find(db, _names, leg, stream, keys), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TimelineEvent>> ReadTimelineAsync(
        string sync, Side side, RecordKey key, int limit, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<TimelineEvent>>(
            db => TimelineRows.Read(db, _names, sync, side, key, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Conflict>> ListConflictsAsync(
        string? sync, bool waiting, long beforeId, int limit, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<Conflict>>(
            db => ConflictRows.List(db, _names, sync, waiting, beforeId, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Conflict?> FindConflictAsync(long id, CancellationToken cancellationToken) =>
        ReadAsync(db => ConflictRows.Find(db, _names, id), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> CountConflictsAsync(string sync, CancellationToken cancellationToken) =>
        ReadAsync(db => Tallies.Read(db, Tallies.ConflictsWaiting, _names.Number(sync)), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<string?> ReadValueAsync(string name, CancellationToken cancellationToken) =>
        ReadAsync(db => ReadText(db, StateSql.ReadValue, name), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<KeyValuePair<string, string>>> ListValuesAsync(
        string prefix, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<KeyValuePair<string, string>>>(
            db => db.Prepared(StateSql.ListValues).Bind(1, prefix)
                .All(static row => KeyValuePair.Create(row.Text(0), row.Text(1))), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask ApplyRetentionAsync(
        long timelineBeforeMicros, long timelineRowsMax, long tombstonesBeforeMicros,
            CancellationToken cancellationToken)
    {
        await RemoveAllAsync(() =>
            TimelineRows.RemoveOld(_database, timelineBeforeMicros, timelineRowsMax, RowsPerStep),
            cancellationToken).ConfigureAwait(false);
        await RemoveAllAsync(() =>
            ConflictRows.RemoveOld(_database, timelineBeforeMicros, timelineRowsMax, RowsPerStep),
            cancellationToken).ConfigureAwait(false);
        await RemoveAllAsync(() => LinkRows.RemoveTombstones(_database, tombstonesBeforeMicros, RowsPerStep),
            cancellationToken).ConfigureAwait(false);
        await RemoveAllAsync(() => VersionRows.RemoveForgotten(_database, RowsPerStep), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _writer.DisposeAsync().ConfigureAwait(false);
        _readers.Dispose();
        _lock.Dispose();
    }

    private static string ReadInstallation(Database database)
    {
        var known = ReadText(database, StateSql.ReadMeta, InstallationName);
        if (known is not null)
        {
            return known;
        }

        var made = RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz234567", 8);
        database.Prepared(StateSql.PutMeta).Bind(1, InstallationName).Bind(2, made).Run();
        return made;
    }

    private static string? ReadText(Database database, string sql, string name) =>
        database.Prepared(sql).Bind(1, name).First(static row => row.Text(0));

    private List<LegPosition> ReadPositions(Database database, LegId leg) =>
        database.Prepared(StateSql.ReadPositions).Bind(1, _names.Leg(leg))
            .All(row => new LegPosition(leg, row.Text(0), row.Int32(1), row.Int64(2)));

    private async Task RemoveAllAsync(Func<int> removeSome, CancellationToken cancellationToken)
    {
        int removed;
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            removed = await _writer.RunAsync(new ActionRequest<int>(removeSome, freesRoom: true)).ConfigureAwait(false);
        }
        while (removed > 0);
    }

    private ValueTask<T> ReadAsync<T>(Func<Database, T> read, CancellationToken cancellationToken) =>
        _readers.ReadAsync(read, static (database, read) => read(database), cancellationToken);
}
