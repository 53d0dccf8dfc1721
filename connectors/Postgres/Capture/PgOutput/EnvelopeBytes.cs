using System.Buffers;
using System.Buffers.Text;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Capture.PgOutput;

/// <summary>
/// Writes keys and envelopes (<see cref="ChangeEnvelope"/>) straight from a message's bytes: no string, no object per
/// column.
/// </summary>
internal static class EnvelopeBytes
{
    /// <summary>Writes the key of a tuple in canonical form.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="layout">The table.</param>
    /// <param name="message">The message that holds both tuples.</param>
    /// <param name="tuple">The tuple whose key it is.</param>
    /// <param name="old">The tuple that fills in values that <paramref name="tuple"/> leaves out.</param>
    public static void WriteKey(
        IBufferWriter<byte> output, RelationLayout layout, ReadOnlySpan<byte> message, TupleSlots tuple, TupleSlots old)
    {
        var separator = (byte)'[';
        foreach (var column in layout.Key)
        {
            var from = tuple.Kind(column) == SlotKind.Unchanged && old.Count > 0 ? old : tuple;
            if (from.Kind(column) != SlotKind.Text)
            {
                throw new FormatException(
                    $"A change of {layout.Stream} does not tell the key column {layout.Message.Columns[column].Name}.");
            }

            JsonText.WriteByte(separator, output);
            JsonText.WriteKeyPart(from.Value(message, column), output);
            separator = (byte)',';
        }

        JsonText.WriteByte((byte)']', output);
    }

    /// <summary>Writes an image with every column that is told; what <paramref name="tuple"/> leaves out is taken from
    /// <paramref name="old"/> where that has it.</summary>
    /// <returns>Whether columns are missing: unchanged and told by neither tuple.</returns>
    public static bool WriteImage(
        IBufferWriter<byte> output, RelationLayout layout, ReadOnlySpan<byte> message, TupleSlots tuple,
            TupleSlots? old)
    {
        var separator = (byte)'{';
        var missing = false;
        for (var i = 0; i < tuple.Count; i++)
        {
            var from = tuple;
            if (tuple.Kind(i) == SlotKind.Unchanged)
            {
                if (old is null || old.Count == 0 || old.Kind(i) == SlotKind.Unchanged)
                {
                    missing = true;
                    continue;
                }

                from = old;
            }

            JsonText.WriteByte(separator, output);
            separator = (byte)',';
            WriteMember(output, layout, i, message, from);
        }

        WriteClose(output, separator);
        return missing;
    }

    /// <summary>Writes the image that a key tuple tells: the columns of the replica identity.</summary>
    public static void WriteIdentity(
        IBufferWriter<byte> output, RelationLayout layout, ReadOnlySpan<byte> message, TupleSlots tuple)
    {
        var separator = (byte)'{';
        for (var i = 0; i < tuple.Count; i++)
        {
            if (layout.Message.Columns[i].InIdentity && tuple.Kind(i) != SlotKind.Unchanged)
            {
                JsonText.WriteByte(separator, output);
                separator = (byte)',';
                WriteMember(output, layout, i, message, tuple);
            }
        }

        WriteClose(output, separator);
    }

    /// <summary>Writes the names of the columns that <see cref="WriteImage"/> left out.</summary>
    public static void WriteUnchanged(IBufferWriter<byte> output, RelationLayout layout, TupleSlots tuple,
        TupleSlots old)
    {
        JsonText.WriteRaw(",\"unchanged\":"u8, output);
        var separator = (byte)'[';
        for (var i = 0; i < tuple.Count; i++)
        {
            if (tuple.Kind(i) == SlotKind.Unchanged && (old.Count == 0 || old.Kind(i) == SlotKind.Unchanged))
            {
                JsonText.WriteByte(separator, output);
                JsonText.WriteRaw(layout.Names[i], output);
                separator = (byte)',';
            }
        }

        JsonText.WriteByte((byte)']', output);
    }

    /// <summary>Writes <c>source</c>, <c>ts_ms</c> and the end of the envelope.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="source">The table's constant part.</param>
    /// <param name="place">Epoch and commit position with the colon after it: <c>1:0/16B3748:</c>.</param>
    /// <param name="index">The index in the transaction.</param>
    /// <param name="micros">The commit's time, microseconds since 1970 UTC.</param>
    public static void WriteTail(
        IBufferWriter<byte> output, ReadOnlySpan<byte> source, ReadOnlySpan<byte> place, ulong index, long micros)
    {
        var span = output.GetSpan(source.Length + place.Length + 96);
        source.CopyTo(span);
        var at = source.Length;
        place.CopyTo(span[at..]);
        at += place.Length;
        Utf8Formatter.TryFormat(index, span[at..], out var written);
        at += written;
        "\",\"ts_us\":"u8.CopyTo(span[at..]);
        at += 10;
        Utf8Formatter.TryFormat(micros, span[at..], out written);
        at += written;
        "},\"ts_ms\":"u8.CopyTo(span[at..]);
        at += 10;
        Utf8Formatter.TryFormat(micros / 1000, span[at..], out written);
        at += written;
        span[at] = (byte)'}';
        output.Advance(at + 1);
    }

    private static void WriteMember(
        IBufferWriter<byte> output, RelationLayout layout, int column, ReadOnlySpan<byte> message, TupleSlots tuple)
    {
        JsonText.WriteRaw(layout.Members[column], output);
        if (tuple.Kind(column) == SlotKind.Null)
        {
            JsonText.WriteRaw("null"u8, output);
        }
        else
        {
            PostgresText.WriteJson(layout.Types[column], tuple.Value(message, column), output);
        }
    }

    private static void WriteClose(IBufferWriter<byte> output, byte separator)
    {
        if (separator == (byte)'{')
        {
            JsonText.WriteByte(separator, output);
        }

        JsonText.WriteByte((byte)'}', output);
    }
}
