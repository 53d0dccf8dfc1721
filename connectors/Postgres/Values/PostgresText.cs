using System.Buffers;
using System.Text.Json;

namespace Duplex.Connectors.Postgres.Values;

/// <summary>
/// The two ways between PostgreSQL's text form of a value and its JSON form in a record (<see cref="PostgresKind"/>).
/// The text form is the one that <see cref="PostgresSession"/>'s settings give. What goes in comes back: for every
/// value, <see cref="FromJson"/> of <see cref="WriteJson"/> is a text that the server reads as the same value.
/// </summary>
public static class PostgresText
{
    /// <summary>
    /// Documents nested deeper than this are carried as text, because JSON readers refuse depths beyond 64.
    /// </summary>
    private const int JsonDepthMax = 40;

    /// <summary>Writes the JSON form of a value that is not NULL. Stateless; safe in parallel.</summary>
    /// <param name="type">The value's type.</param>
    /// <param name="text">PostgreSQL's text form, UTF-8.</param>
    /// <param name="output">Takes one JSON value.</param>
    public static void WriteJson(PostgresType type, ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(output);
        switch (type.Kind)
        {
            case PostgresKind.Integer:
                JsonText.WriteRaw(text, output);
                break;
            case PostgresKind.Number:
                WriteNumber(text, output);
                break;
            case PostgresKind.Boolean:
                JsonText.WriteRaw(text is [(byte)'t'] ? "true"u8 : "false"u8, output);
                break;
            case PostgresKind.Json:
                WriteDocument(text, output, element: false);
                break;
            case PostgresKind.Array:
                PostgresArray.WriteJson(type, text, output);
                break;
            default:
                JsonText.WriteString(text, output);
                break;
        }
    }

    /// <summary>
    /// Writes the JSON form of an element of an array, where a nested JSON array would mean a further dimension.
    /// </summary>
    internal static void WriteElement(PostgresType type, ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        switch (type.Kind)
        {
            case PostgresKind.Json:
                WriteDocument(text, output, element: true);
                break;
            case PostgresKind.Array:
                JsonText.WriteString(text, output);
                break;
            default:
                WriteJson(type, text, output);
                break;
        }
    }

    /// <summary>
    /// The text that the server reads as the JSON value, for a parameter in text format; null for NULL. Nothing is
    /// checked here: what the type does not take, the server refuses.
    /// </summary>
    public static string? FromJson(PostgresType type, JsonElement value)
    {
        ArgumentNullException.ThrowIfNull(type);
        return value.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => null,
            JsonValueKind.String => value.GetString(),
            JsonValueKind.True => type.Kind == PostgresKind.Boolean ? "t" : "true",
            JsonValueKind.False => type.Kind == PostgresKind.Boolean ? "f" : "false",
            JsonValueKind.Array when type.Kind == PostgresKind.Array => PostgresArray.FromJson(type, value),
            _ => value.GetRawText(),
        };
    }

    private static void WriteNumber(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        // NaN, Infinity and -Infinity are the only forms that hold a letter other than the exponent's e.
        if (text[^1] is >= (byte)'0' and <= (byte)'9')
        {
            JsonText.WriteRaw(text, output);
        }
        else
        {
            JsonText.WriteString(text, output);
        }
    }

    private static void WriteDocument(ReadOnlySpan<byte> text, IBufferWriter<byte> output, bool element)
    {
        var first = text[text.IndexOfAnyExcept(" \t\r\n"u8)];
        var native = first switch
        {
            (byte)'"' or (byte)'n' => false,
            (byte)'[' => !element && IsShallow(text),
            (byte)'{' => IsShallow(text),
            _ => true,
        };
        if (native)
        {
            JsonText.WriteRaw(text, output);
        }
        else
        {
            JsonText.WriteString(text, output);
        }
    }

    private static bool IsShallow(ReadOnlySpan<byte> text)
    {
        // Brackets inside strings only make the count too high, which errs on the safe side and seldom.
        if (text.Count((byte)'{') + text.Count((byte)'[') <= JsonDepthMax)
        {
            return true;
        }

        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = int.MaxValue });
        while (reader.Read())
        {
            if (reader.CurrentDepth > JsonDepthMax)
            {
                return false;
            }
        }

        return true;
    }
}
