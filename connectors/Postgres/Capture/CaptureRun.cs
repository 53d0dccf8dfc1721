using System.Security.Cryptography;
using System.Threading.Channels;
using Duplex.Connectors.Postgres.Capture.PgOutput;
using Duplex.Connectors.Postgres.Capture.Snapshot;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>
/// One reading of the stream, from a position until it is disposed: the replication connection with its pump, the
/// snapshot beside it, and the slot's keeper. The first that fails ends all.
/// </summary>
internal sealed class CaptureRun : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();

    // From hand to hand: a batch that nobody waits for yet goes on filling.
    private readonly Channel<ChangeBatch> _batches = Channel.CreateBounded<ChangeBatch>(
        new BoundedChannelOptions(capacity: 0) { SingleReader = true, SingleWriter = true });

    private readonly ReplicationStream _stream;
    private readonly CaptureProgress _progress;
    private readonly CapturePump _pump;
    private readonly SlotKeeper _keeper;
    private readonly Task _work;
    private volatile bool _snapshotStored;

    /// <summary>Starts reading.</summary>
    /// <param name="options">The connection's options.</param>
    /// <param name="stream">The replication connection, open and not started; disposed with the run.</param>
    /// <param name="from">The position to read from, with its token.</param>
    /// <param name="token">The token, read.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">The log.</param>
    public CaptureRun(
        CaptureOptions options, ReplicationStream stream, Position from, CaptureToken token, TimeProvider clock,
            ILogger logger)
    {
        var run = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        _stream = stream;
        _progress = new CaptureProgress(token);
        _snapshotStored = !token.SnapshotPending;
        var window = new SnapshotWindow(_progress);
        var parts = new PumpParts(
            stream,
            new ChangeDecoder(from.Epoch, from, window),
            new RelationSource(options, [.. token.Streams.Keys]),
            window,
            _progress,
            _batches.Writer);
        _pump = new CapturePump(parts, from.Epoch, run, options, clock, logger);
        _keeper = new SlotKeeper(options, _progress, clock);
        stream.Start(from.Major, _ending.Token);
        _work = WorkAsync(new SnapshotReader(options, _progress, window, clock, run), options.Connection);
    }

    /// <summary>The next batch. Throws the failure that ended the run.</summary>
    public async ValueTask<ChangeBatch?> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _batches.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException)
        {
            await _batches.Reader.Completion;
            return null;
        }
    }

    /// <summary>Lets the server drop what lies before the position.</summary>
    public void Confirm(Position position)
    {
        if (!_snapshotStored)
        {
            _snapshotStored = CaptureToken.Read(position.Token) is { SnapshotPending: false };
        }

        _stream.Confirm(position.Major);
    }

    /// <summary>What it is doing.</summary>
    public SourceState State(long rowsExpected)
    {
        var token = _progress.Token;
        return new SourceState(
            // Existing rows count as read once the log holds them, not when the last of them is on its way there.
            _snapshotStored ? SourcePhase.Streaming : SourcePhase.Snapshot,
            token.Streams.Values.Sum(static s => s.Rows),
            rowsExpected,
            _keeper.HeldBytes,
            _pump.HeardAt,
            _keeper.Warning);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _work;
        await _stream.DisposeAsync();
        _ending.Dispose();
    }

    private async Task WorkAsync(SnapshotReader snapshot, string connection)
    {
        Task[] tasks =
        [
            Task.Run(() => _pump.RunAsync(_ending.Token)),
            Task.Run(() => _keeper.RunAsync(_ending.Token)),
            Task.Run(() => _progress.SnapshotPending ? snapshot.RunAsync(_ending.Token) : Task.CompletedTask),
        ];
        Exception? failure = null;
        var running = tasks.ToList();
        while (running.Count > 0)
        {
            var ended = await Task.WhenAny(running);
            running.Remove(ended);
            if (ended.IsFaulted || ended.IsCanceled)
            {
                failure ??= ended.Exception?.GetBaseException();
                await _ending.CancelAsync();
            }
        }

        _batches.Writer.TryComplete(failure is null or OperationCanceledException
            ? null
            : SourceFailures.Translate(failure, connection));
    }
}
