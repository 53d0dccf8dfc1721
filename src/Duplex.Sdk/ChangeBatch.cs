using System.Buffers;
using System.Text;

namespace Duplex.Sdk;

/// <summary>
/// Changes on their way from a source into the change log, in source order, as bytes: keys in canonical form
/// (<see cref="RecordKey"/>) and envelopes (<see cref="ChangeEnvelope"/>) lie one after another in one growing buffer,
/// so that a source writes each change once and nothing is allocated per change or per field. Filled by one thread,
/// then handed over; the receiver disposes it, which returns the buffer to its pool.
/// </summary>
public sealed class ChangeBatch : IBufferWriter<byte>, IDisposable
{
    private readonly List<Slot> _slots = [];
    private byte[] _buffer;
    private int _length;
    private int _start;
    private int _keyLength = -1;
    private string? _stream;

    /// <summary>Rents a buffer of at least the given size, in bytes.</summary>
    public ChangeBatch(int capacityBytes = 64 * 1024) => _buffer = ArrayPool<byte>.Shared.Rent(capacityBytes);

    /// <summary>The number of finished changes.</summary>
    public int Count => _slots.Count;

    /// <summary>Bytes held by finished changes.</summary>
    public int Bytes => _length;

    /// <summary>
    /// Where the source resumes once every change of this batch is durable; null when the batch does not move the
    /// source (a webhook's delivery). A batch with a position and no change moves the position alone.
    /// </summary>
    public Position? Position { get; set; }

    /// <summary>Starts a change of the stream. The key's bytes are written next, then <see cref="EndKey"/>.</summary>
    public void Begin(string stream)
    {
        _stream = stream;
        _start = _length;
        _keyLength = -1;
    }

    /// <summary>Ends the key (no bytes at all for a truncate). The envelope's bytes are written next, then
    /// <see cref="End"/>.</summary>
    public void EndKey() => _keyLength = _length - _start;

    /// <summary>Finishes the change.</summary>
    /// <param name="id">The source's identifier of this delivery; a log drops a change whose id its topic holds
    /// already. It may be made of several names, with or without digests: <see cref="DeliveryId"/>.</param>
    public void End(string? id = null)
    {
        if (_stream is null || _keyLength < 0)
        {
            throw new InvalidOperationException("Begin and EndKey come before End.");
        }

        _slots.Add(new Slot(_stream, id, _start, _keyLength, _length - _start - _keyLength));
        _stream = null;
    }

    /// <summary>Starts a change of the stream and writes its key. The envelope's bytes are written next, then
    /// <see cref="End"/>.</summary>
    public void Begin(string stream, RecordKey key)
    {
        Begin(stream);
        var size = Encoding.UTF8.GetByteCount(key.Json);
        Advance(Encoding.UTF8.GetBytes(key.Json, GetSpan(size)));
        EndKey();
    }

    /// <summary>Writes a whole change whose envelope was made elsewhere.</summary>
    public void Add(string stream, RecordKey key, ReadOnlySpan<byte> envelope, string? id = null)
    {
        Begin(stream, key);
        envelope.CopyTo(GetSpan(envelope.Length));
        Advance(envelope.Length);
        End(id);
    }

    /// <summary>The stream of the change at the index.</summary>
    public string Stream(int index) => _slots[index].Stream;

    /// <summary>The delivery id of the change at the index, or null.</summary>
    public string? Id(int index) => _slots[index].Id;

    /// <summary>Gives the change at the index another delivery id.</summary>
    public void Identify(int index, string? id) => _slots[index] = _slots[index] with { Id = id };

    /// <summary>The canonical key of the change at the index. Valid until the batch is disposed or written
    /// to.</summary>
    public ReadOnlySpan<byte> Key(int index) => _buffer.AsSpan(_slots[index].Start, _slots[index].KeyLength);

    /// <summary>The envelope of the change at the index. Valid until the batch is disposed or written to.</summary>
    public ReadOnlySpan<byte> Value(int index)
    {
        var slot = _slots[index];
        return _buffer.AsSpan(slot.Start + slot.KeyLength, slot.ValueLength);
    }

    /// <inheritdoc/>
    public void Advance(int count) => _length += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_length);
    }

    /// <summary>Empties the batch for the next use and keeps its buffer.</summary>
    public void Clear()
    {
        _slots.Clear();
        _length = _start = 0;
        _keyLength = -1;
        _stream = null;
        Position = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Reserve(int sizeHint)
    {
        var needed = Math.Max(sizeHint, 256);
        if (_buffer.Length - _length >= needed)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + needed));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private readonly record struct Slot(string Stream, string? Id, int Start, int KeyLength, int ValueLength);
}
