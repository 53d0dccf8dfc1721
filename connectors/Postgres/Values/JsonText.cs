using System.Buffers;
using System.Text.Encodings.Web;

namespace Duplex.Connectors.Postgres.Values;

/// <summary>Writes JSON strings from UTF-8 text, without a string or a writer object per value.</summary>
public static class JsonText
{
    private static readonly SearchValues<byte> MustEscape = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(static c => (byte)c), (byte)'"', (byte)'\\']);

    private static readonly SearchValues<byte> PlainAscii = SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x5F).Select(static c => (byte)c)
            .Where(static c => c is not (byte)'"' and not (byte)'\\')]);

    /// <summary>Writes the text as a JSON string. Only what JSON demands is escaped.</summary>
    public static void WriteString(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var span = output.GetSpan(text.Length + 2);
        if (text.IndexOfAny(MustEscape) < 0)
        {
            span[0] = (byte)'"';
            text.CopyTo(span[1..]);
            span[text.Length + 1] = (byte)'"';
            output.Advance(text.Length + 2);
            return;
        }

        WriteEscaped(text, output);
    }

    /// <summary>
    /// Writes one part of a record's key in the canonical form of <see cref="Duplex.Sdk.RecordKey"/>: the same bytes as
    /// <see cref="Duplex.Sdk.RecordKey.Of"/> makes, which escapes more than <see cref="WriteString"/> does.
    /// </summary>
    public static void WriteKeyPart(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (text.IndexOfAnyExcept(PlainAscii) < 0)
        {
            WriteString(text, output);
            return;
        }

        WriteByte((byte)'"', output);
        var rest = text;
        while (!rest.IsEmpty)
        {
            var span = output.GetSpan(Math.Max(rest.Length, 64));
            JavaScriptEncoder.UnsafeRelaxedJsonEscaping.EncodeUtf8(rest, span, out var consumed, out var written);
            output.Advance(written);
            rest = rest[consumed..];
        }

        WriteByte((byte)'"', output);
    }

    /// <summary>Writes bytes as they are.</summary>
    internal static void WriteRaw(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        bytes.CopyTo(output.GetSpan(bytes.Length));
        output.Advance(bytes.Length);
    }

    /// <summary>Writes one byte.</summary>
    internal static void WriteByte(byte value, IBufferWriter<byte> output)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    private static void WriteEscaped(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        WriteByte((byte)'"', output);
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAny(MustEscape);
            if (plain < 0)
            {
                WriteRaw(text, output);
                break;
            }

            WriteRaw(text[..plain], output);
            WriteEscape(text[plain], output);
            text = text[(plain + 1)..];
        }

        WriteByte((byte)'"', output);
    }

    private static void WriteEscape(byte value, IBufferWriter<byte> output)
    {
        ReadOnlySpan<byte> escape = value switch
        {
            (byte)'"' => "\\\""u8,
            (byte)'\\' => "\\\\"u8,
            (byte)'\n' => "\\n"u8,
            (byte)'\r' => "\\r"u8,
            (byte)'\t' => "\\t"u8,
            (byte)'\b' => "\\b"u8,
            (byte)'\f' => "\\f"u8,
            _ => [],
        };
        if (!escape.IsEmpty)
        {
            WriteRaw(escape, output);
            return;
        }

        var hex = "0123456789abcdef"u8;
        WriteRaw([(byte)'\\', (byte)'u', (byte)'0', (byte)'0', hex[value >> 4], hex[value & 15]], output);
    }
}
