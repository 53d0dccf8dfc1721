using Duplex.Connectors.Postgres.Outbox;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Tests;

/// <summary>
/// Reads an outbox as the engine does: keeps each batch and its position together, confirms, starts again from there.
/// </summary>
internal sealed class OutboxTail : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private readonly ConnectorContext _context;
    private OutboxSource _source;
    private IAsyncEnumerator<ChangeBatch>? _reading;
    private CancellationTokenSource _end = new();
    private Task<bool>? _next;

    private OutboxTail(ConnectorContext context)
    {
        _context = context;
        _source = new OutboxSource(context, ["public.customers"]);
    }

    public List<Change> Changes { get; } = [];

    public int LargestBatchBytes { get; private set; }

    public Position? Position { get; private set; }

    /// <summary>Starts and reads until the rows that exist have arrived and the triggers stand.</summary>
    public static async Task<OutboxTail> StartAsync(TestDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        var builder = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var settings = new Dictionary<string, object>
        {
            ["host"] = builder.Host!,
            ["port"] = builder.Port,
            ["database"] = builder.Database!,
            ["username"] = builder.Username!,
            ["password"] = builder.Password!,
            ["capture"] = "outbox",
            ["snapshot_chunk"] = 500,
        };
        var tail = new OutboxTail(TestDatabase.Context with { Settings = new ConnectionSettings(settings) });
        tail.Open();
        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (tail._source.State.Phase != SourcePhase.Streaming && waited.Elapsed < Deadline)
        {
            await tail.TurnsAsync(1);
        }

        return tail;
    }

    /// <summary>Reads until a change satisfies the condition, and gives all changes.</summary>
    public async Task<List<Change>> UntilAsync(Func<Change, bool> condition)
    {
        while (!Changes.Exists(c => condition(c)))
        {
            if (!await ReadAsync(Deadline))
            {
                throw new TimeoutException($"The change did not come; there are {Changes.Count}.");
            }
        }

        return Changes;
    }

    /// <summary>Reads a number of batches, or as many as come in a moment.</summary>
    public async Task TurnsAsync(int batches)
    {
        for (var i = 0; i < batches && await ReadAsync(TimeSpan.FromMilliseconds(200)); i++)
        {
        }
    }

    public async Task RestartAsync()
    {
        await StopAsync();
        Open();
    }

    public async Task RestartAndReadAsync()
    {
        await RestartAsync();
        await ReadAsync(Deadline);
    }

    public async Task ResnapshotAsync()
    {
        await StopAsync();
        Position = await _source.ResnapshotAsync(Position, CancellationToken.None);
        Open();
    }

    public async Task ConfirmAsync()
    {
        await using var fresh = new OutboxSource(_context, ["public.customers"]);
        await fresh.ConfirmAsync(Position!, CancellationToken.None);
    }

    public Task RemoveAsync() => _source.RemoveAsync(CancellationToken.None);

    public async Task StopAsync()
    {
        await _end.CancelAsync();
        try
        {
            if (_next is not null)
            {
                await _next;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SyncException)
        {
            // The reading was ended, or had ended itself.
        }

        _next = null;
        if (_reading is not null)
        {
            await _reading.DisposeAsync();
            _reading = null;
        }

        await _source.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _end.Dispose();
    }

    private void Open()
    {
        _end.Dispose();
        _end = new CancellationTokenSource();
        _source = new OutboxSource(_context, ["public.customers"]);
        _reading = _source.ReadAsync(Position, _end.Token).GetAsyncEnumerator();
    }

    private async Task<bool> ReadAsync(TimeSpan patience)
    {
        _next ??= _reading!.MoveNextAsync().AsTask();
        try
        {
            await _next.WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            return false;
        }

        _next = null;
        using var batch = _reading!.Current;
        if (Position is not null && batch.Position is not null)
        {
            batch.Position.IsAtOrAfter(Position).ShouldBeTrue($"{batch.Position} comes after {Position}");
        }

        LargestBatchBytes = Math.Max(LargestBatchBytes, batch.Bytes);
        for (var i = 0; i < batch.Count; i++)
        {
            Changes.Add(ChangeEnvelope.Parse(RecordKey.FromUtf8(batch.Key(i)), batch.Value(i).ToArray()));
        }

        Position = batch.Position ?? Position;
        await _source.ConfirmAsync(Position!, CancellationToken.None);
        return true;
    }
}
