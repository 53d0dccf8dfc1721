using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Duplex.Engine.Schemas.Values;

/// <summary>The text of a JSON string, read where it stands.</summary>
internal static class StringText
{
    private const byte Escape = (byte)'\\';

    /// <summary>What stands between the quotes, escapes and all.</summary>
    public static ReadOnlySpan<byte> Raw(JsonElement text) => JsonMarshal.GetRawUtf8Value(text)[1..^1];

    /// <summary>How many Unicode characters (code points) it has.</summary>
    public static int Length(JsonElement text)
    {
        var raw = Raw(text);
        var count = 0;
        if (!raw.Contains(Escape))
        {
            foreach (var unit in raw)
                count += (unit & 0xC0) == 0x80 ? 0 : 1;
            return count;
        }

        var previousIsHigh = false;
        for (var i = 0; i < raw.Length; i++)
        {
            var isLow = false;
            var isHigh = false;
            if (raw[i] == Escape)
            {
                i++;
                if (raw[i] == (byte)'u')
                {
                    isHigh = IsSurrogate(raw, i, high: true);
                    isLow = IsSurrogate(raw, i, high: false);
                    i += 4;
                }
            }
            else if ((raw[i] & 0xC0) == 0x80)
            {
                continue;
            }

            count += isLow && previousIsHigh ? 0 : 1;
            previousIsHigh = isHigh;
        }

        return count;
    }

    /// <summary>Whether two strings are the same text.</summary>
    public static bool AreEqual(JsonElement left, JsonElement right)
    {
        var leftRaw = Raw(left);
        var rightRaw = Raw(right);
        if (leftRaw.SequenceEqual(rightRaw))
            return true;
        return (leftRaw.Contains(Escape) || rightRaw.Contains(Escape))
            && string.Equals(Decode(left), Decode(right), StringComparison.Ordinal);
    }

    /// <summary>The same for the same text.</summary>
    public static int Hash(ReadOnlySpan<byte> raw)
    {
        var hash = new HashCode();
        if (raw.Contains(Escape))
            hash.AddBytes(Encoding.UTF8.GetBytes(Unescape(raw)));
        else
            hash.AddBytes(raw);
        return hash.ToHashCode();
    }

    /// <summary>The text; a lone surrogate, which no text can hold, becomes U+FFFD.</summary>
    public static string Decode(JsonElement text) => Unescape(Raw(text));

    /// <summary>The text of what stands between quotes.</summary>
    public static string Unescape(ReadOnlySpan<byte> raw)
    {
        if (!raw.Contains(Escape))
            return Encoding.UTF8.GetString(raw);
        var text = new StringBuilder(raw.Length);
        while (!raw.IsEmpty)
        {
            var plain = raw.IndexOf(Escape);
            if (plain != 0)
            {
                var end = plain < 0 ? raw.Length : plain;
                text.Append(Encoding.UTF8.GetString(raw[..end]));
                raw = raw[end..];
                continue;
            }

            if (raw[1] == (byte)'u')
            {
                text.Append((char)Hex(raw.Slice(2, 4)));
                raw = raw[6..];
                continue;
            }

            text.Append(raw[1] switch
            {
                (byte)'b' => '\b',
                (byte)'f' => '\f',
                (byte)'n' => '\n',
                (byte)'r' => '\r',
                (byte)'t' => '\t',
                var other => (char)other,
            });
            raw = raw[2..];
        }

        return Whole(text);
    }

    /// <summary>Decodes into the buffer, or a rented one that the caller gives back when it is not null.</summary>
    public static ReadOnlySpan<char> Chars(ReadOnlySpan<byte> raw, Span<char> buffer, out char[]? rented)
    {
        rented = null;
        if (raw.Contains(Escape))
            return Unescape(raw);
        if (raw.Length > buffer.Length)
            buffer = rented = ArrayPool<char>.Shared.Rent(raw.Length);
        return buffer[..Encoding.UTF8.GetChars(raw, buffer)];
    }

    /// <summary>The unit that an escape's four hexadecimal digits name.</summary>
    public static int Hex(ReadOnlySpan<byte> digits)
    {
        var value = 0;
        foreach (var digit in digits)
            value = value << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        return value;
    }

    private static bool IsSurrogate(ReadOnlySpan<byte> raw, int at, bool high) =>
        Hex(raw.Slice(at + 1, 4)) >> 10 == (high ? 0x36 : 0x37);

    private static string Whole(StringBuilder text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else if (char.IsSurrogate(text[i]))
                text[i] = '\uFFFD';
        }

        return text.ToString();
    }
}
