using System.Threading.Channels;
using Duplex.Connectors.Postgres.Capture.PgOutput;
using Duplex.Connectors.Postgres.Capture.Snapshot;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>What the pump works with.</summary>
/// <param name="Stream">The replication connection, started.</param>
/// <param name="Decoder">Turns messages into changes.</param>
/// <param name="Relations">Completes the descriptions of tables.</param>
/// <param name="Window">Joins the snapshot.</param>
/// <param name="Progress">The snapshot's progress.</param>
/// <param name="Output">Takes a finished batch when the log is done with the one before.</param>
internal sealed record PumpParts(
    ReplicationStream Stream,
    ChangeDecoder Decoder,
    RelationSource Relations,
    SnapshotWindow Window,
    CaptureProgress Progress,
    ChannelWriter<ChangeBatch> Output);

/// <summary>
/// The loop from the replication connection to batches. A batch goes out when the server has nothing more to say at the
/// moment or when it is full, also inside a transaction: memory is bounded whatever a transaction holds.
/// </summary>
internal sealed partial class CapturePump(
    PumpParts parts, long epoch, string run, CaptureOptions options, TimeProvider clock, ILogger logger)
{
    private const int BatchBytesMax = 1 << 20;
    private const int BatchChangesMax = 8192;

    /// <summary>A batch of so many changes is a sign of a flood.</summary>
    private const int FloodChangesMin = 64;

    /// <summary>How long the batch after that gathers: a commit costs the log as much as some hundred changes.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(4);

    private static readonly TimeSpan RestMax = TimeSpan.FromMilliseconds(2);

    private readonly ChangeDecoder _decoder = parts.Decoder;
    private readonly PeriodicTimer _ticks = new(options.Heartbeat / 2, clock);
    private Task<bool>? _tick;
    private ChangeBatch _batch = new(BatchBytesMax / 4);
    private Position? _sent;
    private Task<bool>? _sendable;
    private bool _flooded;
    private bool _waited;
    private long _closing = -1;

    /// <summary>When the server last said anything; null before that.</summary>
    public DateTimeOffset? HeardAt { get; private set; }

    /// <summary>Runs until the server ends the stream or the token ends it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await MoveNextAsync(cancellationToken))
            {
                await HandleAsync(await parts.Stream.MessageAsync(cancellationToken), cancellationToken);
                if (_batch.Bytes >= BatchBytesMax || _batch.Count >= BatchChangesMax)
                {
                    await SendAsync(cancellationToken);
                }
            }

            throw new SyncException(ErrorCode.SourceUnavailable,
                $"The server of {options.Connection} ended the stream.");
        }
        finally
        {
            _batch.Dispose();
            _ticks.Dispose();
        }
    }

    private ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        if (_waited && _batch.Count > 0 && !Sendable(cancellationToken).IsCompleted)
        {
            return RestAsync(cancellationToken);
        }

        var next = parts.Stream.MoveNextAsync();
        _waited = !next.IsCompleted;
        return _waited ? WaitAsync(next.AsTask(), cancellationToken) : next;
    }

    /// <summary>
    /// Leaves the connection alone for a moment while the batch cannot go out anyway: a server that is no faster than
    /// this loop would wake it for every row, at a cost far above the row's own.
    /// </summary>
    private async ValueTask<bool> RestAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAny(Sendable(cancellationToken), Task.Delay(RestMax, clock, cancellationToken));
        _waited = false;
        return await MoveNextAsync(cancellationToken);
    }

    /// <summary>Complete when the log waits for a batch, and the batch has gathered enough.</summary>
    private Task<bool> Sendable(CancellationToken cancellationToken) =>
        _sendable ??= _flooded
            ? GatherAsync(cancellationToken)
            : parts.Output.WaitToWriteAsync(cancellationToken).AsTask();

    private async Task<bool> GatherAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Gathering, clock, cancellationToken);
        return await parts.Output.WaitToWriteAsync(cancellationToken);
    }

    private async ValueTask<bool> WaitAsync(Task<bool> next, CancellationToken cancellationToken)
    {
        HeardAt = clock.GetUtcNow();

        // While the log is busy with the batch before, this one goes on filling: a busy stream makes few large commits.
        while (_batch.Count > 0 && !TrySend(cancellationToken))
        {
            if (await Task.WhenAny(next, Sendable(cancellationToken)) == next
                || cancellationToken.IsCancellationRequested)
            {
                return await next;
            }
        }

        while (await Task.WhenAny(next, _tick ??= _ticks.WaitForNextTickAsync(cancellationToken).AsTask()) != next)
        {
            _tick = null;

            // The move is always awaited to its end: the connection must not be closed in the middle of one.
            if (cancellationToken.IsCancellationRequested)
            {
                return await next;
            }

            Advance();
        }

        return await next;
    }

    /// <summary>
    /// Moves the position while nothing changes. The server names in its idle messages how far it has read; every
    /// transaction before that was told before the message.
    /// </summary>
    private void Advance()
    {
        _decoder.ReachedIdle(parts.Stream.Heard);
        var position = parts.Progress.At(epoch, _decoder.Reached);
        if (!_decoder.InTransaction && position != _sent)
        {
            // When the log is behind, the next tick tries again.
            var batch = new ChangeBatch(256) { Position = position };
            if (parts.Output.TryWrite(batch))
            {
                _sent = position;
            }
            else
            {
                batch.Dispose();
            }
        }
    }

    private bool TrySend(CancellationToken cancellationToken)
    {
        if (!Sendable(cancellationToken).IsCompleted)
        {
            return false;
        }

        _sendable = null;
        var position = parts.Progress.At(epoch, _decoder.Reached);
        _batch.Position = position;
        var isFlood = _batch.Count >= FloodChangesMin;
        if (!parts.Output.TryWrite(_batch))
        {
            return false;
        }

        _sent = position;
        _flooded = isFlood;
        _batch = new ChangeBatch(BatchBytesMax / 4);
        return true;
    }

    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        var batch = _batch;
        _batch = new ChangeBatch(BatchBytesMax / 4);
        batch.Position = _sent = parts.Progress.At(epoch, _decoder.Reached);
        _sendable = null;
        await parts.Output.WriteAsync(batch, cancellationToken);
    }

    private ValueTask HandleAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        switch (message.Span[0])
        {
            case (byte)'I' or (byte)'U' or (byte)'D':
                _decoder.Change(message.Span, _batch);
                return ValueTask.CompletedTask;
            case (byte)'B':
                _decoder.Begin(message.Span);
                return ValueTask.CompletedTask;
            case (byte)'C':
                return CommitAsync(message, cancellationToken);
            case (byte)'R':
                return DescribeAsync(RelationMessage.Read(message.Span), cancellationToken);
            case (byte)'T':
                _decoder.Truncate(message.Span, _batch);
                return ValueTask.CompletedTask;
            case (byte)'M':
                Mark(message.Span);
                return ValueTask.CompletedTask;
            default:
                // Types are asked for with their table; the name of a foreign replication origin says nothing about
                // records.
                return ValueTask.CompletedTask;
        }
    }

    private void Mark(ReadOnlySpan<byte> message)
    {
        var bytes = new MessageBytes(message);
        bytes.Byte();
        var isTransactional = (bytes.Byte() & 1) != 0;
        bytes.Int64();
        if (!bytes.Text().SequenceEqual("duplex"u8))
        {
            return;
        }

        var content = bytes.Bytes(bytes.Int32());
        if (isTransactional && Watermark.IsOrigin(content))
        {
            _decoder.Origin(content);
        }
        else if (Watermark.TryRead(content, run, out var chunk, out var isHigh))
        {
            if (isHigh)
            {
                _closing = chunk;
            }
            else
            {
                parts.Window.Open(chunk);
            }
        }
    }

    private ValueTask CommitAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var end = _decoder.Commit(message.Span);
        return _closing < 0 ? ValueTask.CompletedTask : CloseAsync(end, cancellationToken);
    }

    private async ValueTask CloseAsync(ulong end, CancellationToken cancellationToken)
    {
        var chunk = parts.Window.Close(_closing, (rows, i) => _decoder.Read(rows, i, end, _batch));
        _closing = -1;
        if (chunk is null)
        {
            return;
        }

        if (chunk.IsAccepted)
        {
            await SendAsync(cancellationToken);
        }

        chunk.Verdict.TrySetResult(chunk.IsAccepted ? parts.Progress.Token.Streams[chunk.Stream] : null);
    }

    private async ValueTask DescribeAsync(RelationMessage message, CancellationToken cancellationToken)
    {
        var previous = _decoder.Layout(message.Oid);
        if (previous is not null && previous.Message.IsSame(message))
        {
            return;
        }

        var layout = await parts.Relations.PrepareAsync(message, previous, cancellationToken);
        _decoder.SetLayout(layout);
        if (previous is not null && layout.Stream is not null)
        {
            parts.Window.Relaid(layout);
            Log.LayoutChanged(logger, options.Connection, layout.Stream,
                string.Join(", ", message.Columns.Select(static c => c.Name)));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Connection}: {Stream} changed its columns; they are {Columns}")]
        public static partial void LayoutChanged(ILogger logger, string connection, string stream, string columns);
    }
}
