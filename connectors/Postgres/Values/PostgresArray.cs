using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Duplex.Connectors.Postgres.Values;

/// <summary>Array literals, <c>{1,NULL,"a b"}</c>, to nested JSON arrays and back.</summary>
internal static class PostgresArray
{
    public static void WriteJson(PostgresType type, ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        // "[0:2]={…}": bounds other than 1 have no place in a JSON array, so the whole value stays text.
        if (text.IsEmpty || text[0] != (byte)'{')
        {
            JsonText.WriteString(text, output);
            return;
        }

        var scratch = ArrayPool<byte>.Shared.Rent(text.Length);
        try
        {
            Write(type, text, scratch, output);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    private static void Write(PostgresType type, ReadOnlySpan<byte> text, byte[] scratch, IBufferWriter<byte> output)
    {
        var delimiter = (byte)type.Delimiter;
        var i = 0;
        while (i < text.Length)
        {
            var c = text[i];
            if (c == (byte)'{')
            {
                JsonText.WriteByte((byte)'[', output);
                i++;
            }
            else if (c == (byte)'}')
            {
                JsonText.WriteByte((byte)']', output);
                i++;
            }
            else if (c == delimiter)
            {
                JsonText.WriteByte((byte)',', output);
                i++;
            }
            else if (c == (byte)'"')
            {
                var length = Unquote(text, ref i, scratch);
                PostgresText.WriteElement(type.Element!, scratch.AsSpan(0, length), output);
            }
            else
            {
                i += WritePlain(type, text[i..], delimiter, output);
            }
        }
    }

    private static int WritePlain(
        PostgresType type, ReadOnlySpan<byte> rest, byte delimiter, IBufferWriter<byte> output)
    {
        // A backslash never stands in an unquoted element: the server quotes every element that holds one.
        var end = rest.IndexOfAny(delimiter, (byte)'}');
        var element = end < 0 ? rest : rest[..end];
        if (element.SequenceEqual("NULL"u8))
        {
            JsonText.WriteRaw("null"u8, output);
        }
        else
        {
            PostgresText.WriteElement(type.Element!, element, output);
        }

        return element.Length;
    }

    private static int Unquote(ReadOnlySpan<byte> text, ref int position, byte[] scratch)
    {
        var length = 0;
        position++;
        while (text[position] != (byte)'"')
        {
            if (text[position] == (byte)'\\')
            {
                position++;
            }

            scratch[length++] = text[position++];
        }

        position++;
        return length;
    }

    public static string FromJson(PostgresType type, JsonElement array)
    {
        var literal = new StringBuilder();
        Append(type, array, literal);
        return literal.ToString();
    }

    private static void Append(PostgresType type, JsonElement array, StringBuilder literal)
    {
        literal.Append('{');
        var first = true;
        foreach (var item in array.EnumerateArray())
        {
            if (!first)
            {
                literal.Append(type.Delimiter);
            }

            first = false;
            if (item.ValueKind == JsonValueKind.Array)
            {
                Append(type, item, literal);
            }
            else if (PostgresText.FromJson(type.Element!, item) is { } text)
            {
                AppendQuoted(text, literal);
            }
            else
            {
                literal.Append("NULL");
            }
        }

        literal.Append('}');
    }

    private static void AppendQuoted(string text, StringBuilder literal)
    {
        literal.Append('"');
        foreach (var c in text)
        {
            if (c is '"' or '\\')
            {
                literal.Append('\\');
            }

            literal.Append(c);
        }

        literal.Append('"');
    }
}
