using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Failures;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Duplex.Connectors.Postgres.Sink;

/// <summary>
/// Writes rows: inserts, updates of only the fields that differ, deletes. A batch is one transaction; a record that
/// the server refuses fails alone. Every write is marked, so that its echo is known, and noted under its idempotency
/// key, so that repeating it after a lost answer changes nothing.
/// </summary>
public sealed partial class PostgresSink : IRecordSink
{
    private static readonly TimeSpan PruneEvery = TimeSpan.FromHours(1);

    private readonly PostgresDatabase _database;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private volatile bool _ledgerReady;
    private long _prunedAt;

    /// <summary>Writes through the pool, which is disposed with the sink.</summary>
    public PostgresSink(PostgresDatabase database, ConnectorContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _database = database;
        _clock = context.Clock;
        _logger = context.Loggers.CreateLogger<PostgresSink>();
        _prunedAt = _clock.GetTimestamp() - (PruneEvery.Ticks * _clock.TimestampFrequency / TimeSpan.TicksPerSecond);
    }

    /// <summary>Opens a sink on a pool of its own. Does no I/O.</summary>
    public static PostgresSink Open(ConnectorContext context, string connectionString)
    {
        ArgumentNullException.ThrowIfNull(context);

        // No automatic preparation: the driver loses count of its statements when a batch fails in the middle.
        var builder = new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxAutoPrepare = 0,
            MaxPoolSize = 8,
            CommandTimeout = 60,
            IncludeFailedBatchedCommand = true,
        };
        var source = PostgresSession.CreateDataSource(builder, "-c lock_timeout=10s");
        return new PostgresSink(new PostgresDatabase(source, context.Clock), context);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<WriteOutcome>> WriteAsync(
        IReadOnlyList<WriteRequest> requests, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        if (requests.Count == 0)
        {
            return [];
        }

        var outcomes = new WriteOutcome[requests.Count];
        var stream = requests[0].Stream;
        try
        {
            var table = await _database.TableAsync(stream, cancellationToken);
            foreach (var wave in Waves(requests))
            {
                await AttemptAsync(table, wave, outcomes, cancellationToken);
            }

            await RetryIfAlteredAsync(table, requests, outcomes, cancellationToken);
        }
        catch (SyncException e)
        {
            FillMissing(outcomes, e.Error);
        }
        catch (Exception e) when (PostgresFailures.OfConnection(e, stream) is { } error)
        {
            FillMissing(outcomes, error);
        }

        await PruneIfDueAsync(cancellationToken);
        return outcomes;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _database.DisposeAsync();

    // Requests for one record are made one after another: what the second compares with is what the first has written.
    private static IEnumerable<List<WritePlan>> Waves(IReadOnlyList<WriteRequest> requests)
    {
        var wave = new List<WritePlan>();
        var keys = new HashSet<RecordKey>();
        for (var i = 0; i < requests.Count; i++)
        {
            if (!requests[i].Key.IsEmpty && !keys.Add(requests[i].Key))
            {
                yield return wave;
                wave = [];
                keys = [requests[i].Key];
            }

            wave.Add(new WritePlan(requests[i], i));
        }

        yield return wave;
    }

    private static void FillMissing(WriteOutcome[] outcomes, SyncError error)
    {
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] ??= WriteOutcome.Failure(error);
        }
    }

    private async Task AttemptAsync(
        TableSchema table, List<WritePlan> plans, WriteOutcome[] outcomes, CancellationToken cancellationToken)
    {
        if (table.Key.Count == 0)
        {
            throw table.Keyless(ErrorCode.ConfigInvalid);
        }

        foreach (var plan in plans)
        {
            CheckKey(table, plan);
        }

        try
        {
            await using var connection = await _database.Source.OpenConnectionAsync(cancellationToken);
            await PrepareLedgerAsync(connection, cancellationToken);
            await new WriteTransaction(connection, table, plans).RunAsync(cancellationToken);
            plans.ForEach(p => outcomes[p.Index] = p.Outcome!);
        }
        catch (Exception e) when (OfWholeBatch(e, table) is { } error)
        {
            plans.ForEach(p => outcomes[p.Index] = WriteOutcome.Failure(error));
        }
        catch (PostgresException e)
        {
            // A refusal that names no statement of one record: a key that its type cannot hold, a constraint checked
            // at the commit.
            if (plans.Count == 1)
            {
                plans[0].Outcome = WriteOutcome.Failure(RecordFailures.Of(e, table, plans[0]));
                plans[0].Blocked = UniqueHolders.Of(e, table);
                await using var connection = await _database.Source.OpenConnectionAsync(cancellationToken);
                await UniqueHolders.TellAsync(connection, table, plans, cancellationToken);
                outcomes[plans[0].Index] = plans[0].Outcome!;
                return;
            }

            foreach (var half in plans.Chunk((plans.Count + 1) / 2))
            {
                await AttemptAsync(
                    table, [.. half.Select(static p => new WritePlan(p.Request, p.Index))], outcomes,
                        cancellationToken);
            }
        }
    }

    private SyncError? OfWholeBatch(Exception failure, TableSchema table)
    {
        if (failure is PostgresException { SqlState: "23505", ConstraintName: "writes_pkey", SchemaName: "duplex" })
        {
            return new SyncError(
                ErrorCode.SinkBusy, $"Another worker writes to {table.Name} under the same idempotency key.");
        }

        if (failure is PostgresException { SqlState: "42P01" } missing
            && missing.MessageText.Contains("duplex.writes", StringComparison.Ordinal))
        {
            _ledgerReady = false;
            return new SyncError(ErrorCode.SinkBusy, "The table duplex.writes was removed and is made again.");
        }

        return PostgresFailures.OfConnection(failure, table.Name.ToString());
    }

    private async Task RetryIfAlteredAsync(
        TableSchema table, IReadOnlyList<WriteRequest> requests, WriteOutcome[] outcomes,
            CancellationToken cancellationToken)
    {
        int[] refused = [.. Enumerable.Range(0, outcomes.Length).Where(i =>
            outcomes[i].Error?.Code is ErrorCode.SinkRejected or ErrorCode.SinkBusy or ErrorCode.ConfigInvalid)];
        if (refused.Length == 0)
        {
            return;
        }

        var altered = await _database.ReloadAsync(requests[0].Stream, cancellationToken);
        if (altered.HasShapeOf(table))
        {
            return;
        }

        var again = new WriteRequest[refused.Length];
        for (var i = 0; i < refused.Length; i++)
        {
            again[i] = requests[refused[i]];
        }

        foreach (var wave in Waves(again))
        {
            var plans = wave.ConvertAll(p => new WritePlan(p.Request, refused[p.Index]));
            await AttemptAsync(altered, plans, outcomes, cancellationToken);
        }
    }

    private async Task PrepareLedgerAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!_ledgerReady)
        {
            await WriteLedger.EnsureAsync(connection, cancellationToken);
            _ledgerReady = true;
        }
    }

    private async Task PruneIfDueAsync(CancellationToken cancellationToken)
    {
        var last = Interlocked.Read(ref _prunedAt);
        var now = _clock.GetTimestamp();
        if (_clock.GetElapsedTime(last, now) < PruneEvery
            || !_ledgerReady
            || Interlocked.CompareExchange(ref _prunedAt, now, last) != last)
        {
            return;
        }

        try
        {
            await WriteLedger.PruneAsync(_database.Source, cancellationToken);
        }
        catch (NpgsqlException e)
        {
            Log.PruneFailed(_logger, e.Message);
        }
    }

    private static void CheckKey(TableSchema table, WritePlan plan)
    {
        var parts = plan.Key.Parts().Length;
        if (parts != table.Key.Count && !(parts == 0 && plan.Request.Operation == WriteOperation.Create))
        {
            var columns = string.Join(", ", table.Key.Select(static c => c.Name));
            plan.Refuse(
                $"The key of {table.Name} is ({columns}); the request's key has {parts} parts.", table.Key[0].Name);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Old entries of duplex.writes were not removed: {Reason}")]
        public static partial void PruneFailed(ILogger logger, string reason);
    }
}
