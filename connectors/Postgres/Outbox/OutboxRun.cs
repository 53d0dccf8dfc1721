using Duplex.Connectors.Postgres.Capture;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Outbox;

/// <summary>One reading of the outbox, from a position on until the connection ends. Used by one thread.</summary>
internal sealed class OutboxRun
{
    private const int PagesPerChunk = 4;
    private static readonly TimeSpan SoonAgain = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    private readonly ConnectorContext _context;
    private readonly CaptureOptions _options;
    private readonly NpgsqlConnection _connection;
    private readonly OutboxCapture _capture;
    private readonly OutboxReader _reader;
    private readonly OutboxDecoder _decoder;
    private OutboxToken _token;
    private int _pages;

    private OutboxRun(
        ConnectorContext context, CaptureOptions options, PostgresDatabase database, NpgsqlConnection connection,
        OutboxCapture capture, (Position Position, OutboxToken Token) start)
    {
        _context = context;
        _options = options;
        _connection = connection;
        _capture = capture;
        _reader = new OutboxReader(connection);
        _decoder = new OutboxDecoder(database, connection);
        (Position, _token) = start;
        State = new SourceState(SourcePhase.Starting);
    }

    /// <summary>Up to where it has read.</summary>
    public Position Position { get; private set; }

    /// <summary>What it is doing.</summary>
    public SourceState State { get; private set; }

    /// <summary>Prepares the database, and starts at the position.</summary>
    public static async Task<OutboxRun> StartAsync(
        ConnectorContext context, CaptureOptions options, PostgresDatabase database, NpgsqlConnection connection,
        IReadOnlyList<string> streams, Position? from, CancellationToken cancellationToken)
    {
        var capture = new OutboxCapture(connection, options, streams);
        var start = await capture.BeginAsync(from, cancellationToken);
        await OutboxSchema.ExecuteAsync(connection, $"LISTEN {OutboxSchema.Channel}", cancellationToken);
        return new OutboxRun(context, options, database, connection, capture, start);
    }

    /// <summary>The next batch; null when there was nothing for a while.</summary>
    public async Task<ChangeBatch?> NextAsync(CancellationToken cancellationToken)
    {
        var pending = _token.Pending.FirstOrDefault();
        State = new SourceState(
            pending is null ? SourcePhase.Streaming : SourcePhase.Snapshot,
            SnapshotRows: _token.Streams.Values.Sum(static s => s.Rows),
            LastHeardAt: _context.Clock.GetUtcNow());
        if (pending is null || _pages < PagesPerChunk)
        {
            var entries = await _reader.ReadAsync((long)Position.Major, cancellationToken);
            if (entries.Count > 0)
            {
                _pages++;
                return await DecodeAsync(entries, cancellationToken);
            }
        }

        if (pending is not null)
        {
            _pages = 0;
            return await ReadChunkAsync(pending, cancellationToken);
        }

        await RestAsync(cancellationToken);
        return null;
    }

    private async Task<ChangeBatch> DecodeAsync(List<OutboxEntry> entries, CancellationToken cancellationToken)
    {
        var batch = new ChangeBatch();
        try
        {
            foreach (var entry in entries)
            {
                Position = Position with { Major = (ulong)entry.Id, Minor = 0 };
                if (_token.Streams.ContainsKey(entry.Stream))
                {
                    var change = await _decoder.DecodeAsync(entry, Position, cancellationToken);
                    ChangeEnvelope.Add(batch, change, "postgres", _context.Connection);
                }
            }

            batch.Position = Position;
            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    private async Task<ChangeBatch> ReadChunkAsync(string stream, CancellationToken cancellationToken)
    {
        var progress = _token.Streams[stream];
        var tables = await _capture.TablesAsync(cancellationToken);
        await _capture.RequireTriggersAsync(_token, tables, cancellationToken);
        var snapshot = new OutboxSnapshot(_connection, tables[stream], stream);
        var chunk = await snapshot.ReadAsync(
            (long)Position.Major, progress.After, Math.Min(_options.ChunkRows, 2000), cancellationToken);
        _token = _token.With(stream, progress with
        {
            After = chunk.After,
            Rows = progress.Rows + chunk.Rows.Count,
            Done = chunk.IsLast,
        });
        Position = Position with { Minor = Position.Minor + 1, Token = _token.Write() };
        var batch = new ChangeBatch { Position = Position };
        var now = _context.Clock.NowMicros();
        foreach (var (key, record) in chunk.Rows)
        {
            var change = new Change
            {
                Operation = ChangeOperation.Read,
                Stream = stream,
                Key = key,
                After = record,
                SourceMicros = now,
                Position = Position.ToString(),
            };
            ChangeEnvelope.Add(batch, change, "postgres", _context.Connection);
        }

        return batch;
    }

    private async Task RestAsync(CancellationToken cancellationToken)
    {
        var heard = await _connection.WaitAsync(_reader.IsWaiting ? SoonAgain : Idle, cancellationToken);
        if (!heard && !_reader.IsWaiting)
        {
            await _capture.RequireTriggersAsync(_token, await _capture.TablesAsync(cancellationToken),
                cancellationToken);
        }
    }
}
