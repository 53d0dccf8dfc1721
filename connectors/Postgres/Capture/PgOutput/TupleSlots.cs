namespace Duplex.Connectors.Postgres.Capture.PgOutput;

/// <summary>What a column of a tuple holds.</summary>
internal enum SlotKind : byte
{
    /// <summary>NULL; in a key tuple also every column that is not of the key.</summary>
    Null,
    /// <summary>A value in text form.</summary>
    Text,
    /// <summary>A large value that the change left as it was and that the log does not repeat.</summary>
    Unchanged,
}

/// <summary>Where the columns of one tuple lie in its message. Reused from message to message.</summary>
internal sealed class TupleSlots
{
    private Slot[] _slots = new Slot[32];

    /// <summary>The number of columns; 0 when the message has no such tuple.</summary>
    public int Count { get; private set; }

    /// <summary>Whether a column is <see cref="SlotKind.Unchanged"/>.</summary>
    public bool HasUnchanged { get; private set; }

    public SlotKind Kind(int column) => _slots[column].Kind;

    public ReadOnlySpan<byte> Value(ReadOnlySpan<byte> message, int column) =>
        message.Slice(_slots[column].Start, _slots[column].Length);

    /// <summary>Says that there is no tuple.</summary>
    public void Clear()
    {
        Count = 0;
        HasUnchanged = false;
    }

    /// <summary>Reads a tuple from the message.</summary>
    public void Read(ref MessageBytes message)
    {
        Count = message.Int16();
        HasUnchanged = false;
        if (_slots.Length < Count)
        {
            _slots = new Slot[Count];
        }

        for (var i = 0; i < Count; i++)
        {
            _slots[i] = ReadSlot(ref message);
        }
    }

    private Slot ReadSlot(ref MessageBytes message)
    {
        switch (message.Byte())
        {
            case (byte)'t':
                var length = message.Int32();
                var start = message.At;
                message.Bytes(length);
                return new Slot(SlotKind.Text, start, length);
            case (byte)'u':
                HasUnchanged = true;
                return new Slot(SlotKind.Unchanged, 0, 0);
            case (byte)'n':
                return new Slot(SlotKind.Null, 0, 0);
            case var other:
                throw new FormatException($"A column of kind '{(char)other}' is not known.");
        }
    }

    private readonly record struct Slot(SlotKind Kind, int Start, int Length);
}
