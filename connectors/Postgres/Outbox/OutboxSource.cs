using System.Runtime.CompilerServices;
using Duplex.Connectors.Postgres.Capture;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Outbox;

/// <summary>
/// Captures changes where there is no logical replication: triggers write them to an outbox table and notify; this
/// source reads the outbox in order, beside a snapshot of the rows that exist. Sessions that set
/// <c>duplex.reverse_off</c> are not captured.
/// </summary>
internal sealed class OutboxSource : IRecordSource
{
    private readonly CaptureOptions _options;
    private readonly ConnectorContext _context;
    private readonly IReadOnlyList<string> _streams;
    private readonly PostgresDatabase _database;
    private NpgsqlConnection? _confirming;
    private long _confirmedAt;
    private volatile SourceState _state = new(SourcePhase.Starting);

    public OutboxSource(ConnectorContext context, IReadOnlyList<string> streams)
    {
        _context = context;
        _streams = streams;
        _options = CaptureOptions.From(context);
        _database = new PostgresDatabase(_options.Sql, context.Clock);
    }

    /// <inheritdoc/>
    public SourceState State => _state;

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChangeBatch> ReadAsync(
        Position? from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var connection =
            await GuardAsync(() => _options.Sql.OpenConnectionAsync(cancellationToken).AsTask());
        var run = await GuardAsync(() => OutboxRun.StartAsync(
            _context, _options, _database, connection, _streams, from, cancellationToken));
        if (run.Position != from)
        {
            yield return new ChangeBatch(256) { Position = run.Position };
        }

        while (true)
        {
            var batch = await GuardAsync(() => run.NextAsync(cancellationToken));
            _state = run.State;
            if (batch is not null)
            {
                yield return batch;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask ConfirmAsync(Position position, CancellationToken cancellationToken)
    {
        // Letting go of entries once a second is often enough; what is read again after a restart is known by its
        // number.
        var now = _context.Clock.GetTimestamp();
        if (_confirmedAt != 0 && _context.Clock.GetElapsedTime(_confirmedAt, now) < TimeSpan.FromSeconds(1))
        {
            return;
        }

        await GuardAsync(async () =>
        {
            if (_confirming is not { FullState: System.Data.ConnectionState.Open })
            {
                await DisposeAsync();
                _confirming = await _options.Sql.OpenConnectionAsync(cancellationToken);
            }

            await new OutboxCapture(_confirming, _options, _streams)
                .ConfirmAsync((long)position.Major, cancellationToken);
            _confirmedAt = now;
            return true;
        });
    }

    /// <inheritdoc/>
    public Task<Position?> ResnapshotAsync(Position? saved, CancellationToken cancellationToken) =>
        GuardAsync<Position?>(async () =>
        {
            await using var connection = await _options.Sql.OpenConnectionAsync(cancellationToken);
            return await new OutboxCapture(connection, _options, _streams).RestartAsync(saved, cancellationToken);
        });

    /// <inheritdoc/>
    public Task RemoveAsync(CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        await using var connection = await _options.Sql.OpenConnectionAsync(cancellationToken);
        await new OutboxCapture(connection, _options, _streams).RemoveAsync(cancellationToken);
        return true;
    });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _confirming, null) is { } connection)
        {
            await connection.DisposeAsync();
        }
    }

    private async Task<T> GuardAsync<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            throw SourceFailures.Translate(e, _context.Connection);
        }
    }
}
