using System.Runtime.CompilerServices;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Preflight;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>Captures the changes of tables from the write-ahead log, joined to a snapshot of the rows that
/// exist.</summary>
internal sealed class PostgresSource : IRecordSource
{
    private readonly CaptureOptions _options;
    private readonly ConnectorContext _context;
    private readonly IReadOnlyList<string> _streams;
    private readonly ILogger _logger;
    private volatile CaptureRun? _run;
    private volatile string? _waiting;
    private long _rowsExpected;

    public PostgresSource(ConnectorContext context, IReadOnlyList<string> streams)
    {
        _context = context;
        _streams = streams;
        _options = CaptureOptions.From(context);
        _logger = context.Loggers.CreateLogger<PostgresSource>();
    }

    /// <inheritdoc/>
    public SourceState State =>
        _run?.State(Interlocked.Read(ref _rowsExpected)) ?? new SourceState(SourcePhase.Starting, Warning: _waiting);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChangeBatch> ReadAsync(
        Position? from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Position start;
        (_run, start) = await GuardAsync(() => StartAsync(from, cancellationToken), cancellationToken);
        await using var run = _run;
        try
        {
            if (start != from)
            {
                yield return new ChangeBatch(256) { Position = start };
            }

            while (await run.NextAsync(cancellationToken) is { } batch)
            {
                yield return batch;
            }
        }
        finally
        {
            _run = null;
        }
    }

    /// <inheritdoc/>
    public ValueTask ConfirmAsync(Position position, CancellationToken cancellationToken)
    {
        _run?.Confirm(position);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<Position?> ResnapshotAsync(Position? saved, CancellationToken cancellationToken) =>
        GuardAsync<Position?>(async () =>
        {
            await using var connection = await _options.Sql.OpenConnectionAsync(cancellationToken);
            var setup = new CaptureSetup(_options, connection);
            await using var stream = new ReplicationStream(_options);
            var server = await stream.OpenAsync(await setup.DatabaseAsync(cancellationToken), cancellationToken);
            var token = CaptureToken.Read(saved?.Token);
            var slot = await SlotState.ReadAsync(connection, _options.Slot, cancellationToken);
            var isWhole = saved is not null && token is not null
                && GapCheck.Find(_options, saved, token, server, slot) is null
                && await setup.PublicationExistsAsync(cancellationToken)
                && GapCheck.FindTable(_options, token, await setup.TablesAsync(_streams, cancellationToken)) is null;

            // A slot that still has everything is kept: its changes, deletes above all, are told beside the fresh rows.
            var major = saved?.Major ?? 0;
            if (!isWhole)
            {
                major = await MakeAsync(connection, setup, isAnew: true, cancellationToken);
            }

            // Streams that are new to a whole slot join when it is read, in their own order.
            var known = isWhole ? [.. _streams.Where(token!.Streams.ContainsKey)] : _streams;
            var fresh = await PendingAsync(setup, known, server, cancellationToken);
            return new Position((saved?.Epoch ?? 0) + 1, major, 0, fresh.Write());
        }, cancellationToken);

    /// <inheritdoc/>
    public async Task RemoveAsync(CancellationToken cancellationToken) =>
        await GuardAsync(async () =>
        {
            await using var connection = await _options.Sql.OpenConnectionAsync(cancellationToken);
            var setup = new CaptureSetup(_options, connection);
            await setup.DropSlotAsync(cancellationToken);
            if (_options.OwnsPublication)
            {
                await setup.DropPublicationAsync(cancellationToken);
            }

            return true;
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<(CaptureRun Run, Position Start)> StartAsync(Position? from, CancellationToken cancellationToken)
    {
        await using var connection = await _options.Sql.OpenConnectionAsync(cancellationToken);
        var setup = new CaptureSetup(_options, connection);
        var stream = new ReplicationStream(_options);
        try
        {
            var server = await stream.OpenAsync(await setup.DatabaseAsync(cancellationToken), cancellationToken);
            var start = from is null
                ? await BeginAsync(connection, setup, server, cancellationToken)
                : await ResumeAsync(connection, setup, server, from, cancellationToken);
            var token = CaptureToken.Read(start.Token)!;
            Interlocked.Exchange(ref _rowsExpected, await EstimateAsync(connection, token, cancellationToken));
            return (new CaptureRun(_options, stream, start, token, _context.Clock, _logger), start);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private async Task<Position> BeginAsync(
        NpgsqlConnection connection, CaptureSetup setup, ServerPlace server, CancellationToken cancellationToken)
    {
        var major = await MakeAsync(connection, setup, isAnew: false, cancellationToken);
        var token = await PendingAsync(setup, _streams, server, cancellationToken);
        return new Position(1, major, 0, token.Write());
    }

    private async Task<Position> ResumeAsync(
        NpgsqlConnection connection, CaptureSetup setup, ServerPlace server, Position from,
            CancellationToken cancellationToken)
    {
        var token = CaptureToken.Read(from.Token);
        var slot = await SlotState.ReadAsync(connection, _options.Slot, cancellationToken);
        if (GapCheck.Find(_options, from, token, server, slot) is { } gap)
        {
            throw new SyncException(gap);
        }

        if (!await setup.PublicationExistsAsync(cancellationToken))
        {
            throw new SyncException(ErrorCode.SourceGap,
                $"Publication {_options.Publication} of connection {_options.Connection} is gone.",
                GapCheck.Fix(_options.Connection));
        }

        var tables = await setup.TablesAsync(_streams, cancellationToken);
        if (GapCheck.FindTable(_options, token!, tables) is { } lost)
        {
            throw new SyncException(lost);
        }

        var added = _streams.Where(s => !token!.Streams.ContainsKey(s)).ToArray();
        var kept = token!.Streams.Where(s => _streams.Contains(s.Key)).ToDictionary();
        if (added.Length == 0 && kept.Count == token.Streams.Count)
        {
            return from;
        }

        if (added.Length > 0)
        {
            await RequireAsync(connection, added, cancellationToken);
            await setup.EnsurePublicationAsync(added, cancellationToken);
            tables = await setup.TablesAsync(_streams, cancellationToken);
            _waiting = "Waiting for transactions that write to the added tables to end.";
            await setup.WaitForWritersAsync(
                [.. added.Select(s => tables[s].Oid)], _context.Clock, cancellationToken);
            foreach (var stream in added)
            {
                kept[stream] = new StreamProgress(tables[stream].Oid, !_options.TakesSnapshot);
            }
        }

        return @from with { Token = (token with { Streams = kept }).Write() };
    }

    /// <summary>Makes publication and slot after everything was checked, so that a refusal leaves nothing
    /// behind.</summary>
    private async Task<ulong> MakeAsync(
        NpgsqlConnection connection, CaptureSetup setup, bool isAnew, CancellationToken cancellationToken)
    {
        var slot = await SlotState.ReadAsync(connection, _options.Slot, cancellationToken);
        if (slot is { Plugin: not "pgoutput" } && _options.OwnsSlot)
        {
            await setup.DropSlotAsync(cancellationToken);
            slot = null;
        }

        await RequireAsync(connection, _streams, cancellationToken);
        if (slot is not null && (isAnew || _options.OwnsSlot))
        {
            await setup.DropSlotAsync(cancellationToken);
            slot = null;
        }

        var made = await setup.EnsurePublicationAsync(_streams, cancellationToken);
        if (slot is not null)
        {
            return slot.Confirmed;
        }

        _waiting = "Waiting for running transactions to end, so that the replication slot can be made.";
        try
        {
            return await setup.CreateSlotAsync(cancellationToken);
        }
        catch when (made)
        {
            await setup.DropPublicationAsync(CancellationToken.None);
            throw;
        }
    }

    private async Task<CaptureToken> PendingAsync(
        CaptureSetup setup, IReadOnlyList<string> streams, ServerPlace server, CancellationToken cancellationToken)
    {
        var tables = await setup.TablesAsync(streams, cancellationToken);
        return new CaptureToken
        {
            System = server.System,
            Timeline = server.Timeline,
            Database = server.Database,
            Slot = _options.Slot,
            Streams = streams.ToDictionary(
                static s => s, s => new StreamProgress(tables[s].Oid, !_options.TakesSnapshot)),
        };
    }

    private async Task RequireAsync(
        NpgsqlConnection connection, IReadOnlyList<string> streams, CancellationToken cancellationToken)
    {
        var findings = await CapturePreflight.CheckAsync(connection, _options, streams, cancellationToken);
        if (findings.FirstOrDefault(static f => f.Severity == FindingSeverity.Error) is { } first)
        {
            var more = findings.Count(static f => f.Severity == FindingSeverity.Error) - 1;
            throw new SyncException(ErrorCode.SourceMisconfigured,
                more == 0 ? first.Message : $"{first.Message} ({more} more; run duplex doctor)", first.Suggestion);
        }
    }

    private static async Task<long> EstimateAsync(
        NpgsqlConnection connection, CaptureToken token, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class WHERE oid = ANY($1)", connection);
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = token.Streams.Values.Select(static s => s.Table).ToArray(),
            NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Oid,
        });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<T> GuardAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw SourceFailures.Translate(e, _options.Connection);
        }
        finally
        {
            _waiting = null;
        }
    }
}
