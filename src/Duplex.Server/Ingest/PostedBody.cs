using System.Buffers;
using System.IO.Pipelines;
using Duplex.Engine.Ingest;

namespace Duplex.Server.Ingest;

/// <summary>
/// A request's body, read whole into the connection's own pooled buffers and used there. Its bytes count among those in
/// flight from before they are read until it is disposed.
/// </summary>
internal sealed class PostedBody : IDisposable
{
    private const int UnknownLength = 4 * 1024;
    private readonly IngestDoor _door;
    private readonly PipeReader _reader;
    private ReadOnlySequence<byte> _bytes;
    private long _entered;
    private byte[]? _joined;
    private bool _isRead;

    private PostedBody(IngestDoor door, PipeReader reader) => (_door, _reader) = (door, reader);

    /// <summary>Why it was not read; null if it was.</summary>
    public IngestRefusal? Refusal { get; private set; }

    /// <summary>The bytes. Valid until <see cref="Release"/>.</summary>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            if (_bytes.IsSingleSegment)
            {
                return _bytes.First;
            }

            if (_joined is null)
            {
                _joined = ArrayPool<byte>.Shared.Rent((int)_bytes.Length);
                _bytes.CopyTo(_joined);
            }

            return _joined.AsMemory(0, (int)_bytes.Length);
        }
    }

    /// <summary>Reads the body of a request, unless it is too large or too much is in flight.</summary>
    public static async ValueTask<PostedBody> ReadAsync(HttpRequest request, IngestDoor door)
    {
        var bytesMax = door.Model.BodyBytesMax;
        var length = request.ContentLength;
        var body = new PostedBody(door, request.BodyReader);
        if (length > bytesMax)
        {
            body.Refusal = IngestRefusal.TooLarge(bytesMax);
            return body;
        }

        if (!body.Enter(length ?? UnknownLength))
        {
            return body;
        }

        try
        {
            await body.ReadAsync(length, bytesMax, request.HttpContext.RequestAborted);
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Gives the buffers back; the bytes still count as in flight.</summary>
    public void Release()
    {
        if (_isRead)
        {
            _isRead = false;
            _reader.AdvanceTo(_bytes.End);
        }

        if (_joined is not null)
        {
            ArrayPool<byte>.Shared.Return(_joined);
            _joined = null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        _door.Leave(_entered);
        _entered = 0;
    }

    private async ValueTask ReadAsync(long? length, long bytesMax, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await _reader.ReadAsync(cancellationToken);
            var got = read.Buffer.Length;
            if (got > bytesMax || !Enter(got - _entered))
            {
                Refusal ??= IngestRefusal.TooLarge(bytesMax);
                _reader.AdvanceTo(read.Buffer.End);
                return;
            }

            if (read.IsCompleted || got == length)
            {
                _bytes = read.Buffer;
                _isRead = true;
                return;
            }

            _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private bool Enter(long bytes)
    {
        if (bytes <= 0)
        {
            return true;
        }

        if (!_door.TryEnter(bytes))
        {
            Refusal = IngestRefusal.Busy;
            return false;
        }

        _entered += bytes;
        return true;
    }

}
