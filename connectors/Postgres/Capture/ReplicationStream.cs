using Duplex.Sdk;
using Npgsql;
using Npgsql.Replication;
using Npgsql.Replication.Internal;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>
/// The replication connection: raw messages of the output plugin in, confirmations out. One thread reads; confirming is
/// safe from another.
/// </summary>
internal sealed class ReplicationStream(CaptureOptions options) : IAsyncDisposable
{
    private readonly LogicalReplicationConnection _connection = new(options.ReplicationConnectionString);
    private IAsyncEnumerator<XLogDataMessage>? _messages;
    private byte[] _buffer = new byte[64 * 1024];
    private ulong _confirmed;

    /// <summary>Connects, and asks the server who and where it is.</summary>
    public async Task<ServerPlace> OpenAsync(uint database, CancellationToken cancellationToken)
    {
        await _connection.Open(cancellationToken);
        var system = await _connection.IdentifySystem(cancellationToken);
        return new ServerPlace(system.SystemId, system.Timeline, database, (ulong)system.XLogPos);
    }

    /// <summary>Starts the stream. Transactions whose commit lies before the position are not told.</summary>
    public void Start(ulong position, CancellationToken cancellationToken)
    {
        Confirm(position);
        _connection.WalReceiverStatusInterval = TimeSpan.FromSeconds(1);
        _connection.WalReceiverTimeout = options.SilenceMax;
        _messages = _connection.StartLogicalReplication(
            new RawSlot(options.Slot),
            cancellationToken,
            new NpgsqlLogSequenceNumber(position),
            new Dictionary<string, string?>
            {
                ["proto_version"] = "1",
                ["publication_names"] = Catalog.TableName.Quote(options.Publication),
                ["messages"] = "true",
            }).GetAsyncEnumerator(cancellationToken);
    }

    /// <summary>
    /// Moves to the next message. Not complete when the server has sent nothing more. False when the server ended the
    /// stream.
    /// </summary>
    public ValueTask<bool> MoveNextAsync() => _messages!.MoveNextAsync();

    /// <summary>The bytes of the message moved to; valid until the next move.</summary>
    public ValueTask<ReadOnlyMemory<byte>> MessageAsync(CancellationToken cancellationToken)
    {
        var data = _messages!.Current.Data;
        var length = (int)data.Length;
        if (_buffer.Length < length)
        {
            _buffer = new byte[Math.Max(length, _buffer.Length * 2)];
        }

        var read = data.ReadAtLeastAsync(_buffer.AsMemory(0, length), length, true, cancellationToken);
        return read.IsCompletedSuccessfully
            ? ValueTask.FromResult<ReadOnlyMemory<byte>>(_buffer.AsMemory(0, read.Result))
            : SlowAsync(read);
    }

    /// <summary>The end of the log that the server has read through for us, its idle messages included.</summary>
    public ulong Heard => (ulong)_connection.LastReceivedLsn;

    /// <summary>Tells the server that everything before the position is kept; it goes out within a second.</summary>
    public void Confirm(ulong position)
    {
        if (position > _confirmed)
        {
            _confirmed = position;
            _connection.SetReplicationStatus(new NpgsqlLogSequenceNumber(position));
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async ValueTask<ReadOnlyMemory<byte>> SlowAsync(ValueTask<int> read) => _buffer.AsMemory(0, await read);

    private sealed class RawSlot(string name) : LogicalReplicationSlot("pgoutput", new ReplicationSlotOptions(name));
}
