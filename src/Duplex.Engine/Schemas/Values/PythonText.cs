using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Duplex.Engine.Schemas.Values;

/// <summary>
/// Values as Python writes them (<c>repr</c>): existing clients read them out of messages. Cut short beyond a limit.
/// </summary>
internal static class PythonText
{
    private const int CharactersMax = 10_000;
    private const int FixedDigitsMax = 16;

    /// <summary>The value as Python writes it.</summary>
    public static string Of(JsonElement value)
    {
        var text = new StringBuilder();
        Write(text, value);
        return Cut(text);
    }

    /// <summary>The text in quotes, as Python writes it.</summary>
    public static string Of(string value)
    {
        var text = new StringBuilder();
        WriteString(text, value);
        return Cut(text);
    }

    /// <summary>Several values, with commas between.</summary>
    public static string Join(IEnumerable<JsonElement> values) => string.Join(", ", values.Select(Of));

    /// <summary>Several texts, with commas between.</summary>
    public static string Join(IEnumerable<string> values) => string.Join(", ", values.Select(Of));

    private static string Cut(StringBuilder text)
    {
        if (text.Length <= CharactersMax)
            return text.ToString();
        text.Length = char.IsHighSurrogate(text[CharactersMax - 1]) ? CharactersMax - 1 : CharactersMax;
        return text.Append('…').ToString();
    }

    private static void Write(StringBuilder text, JsonElement value)
    {
        if (text.Length > CharactersMax)
            return;
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                WriteString(text, StringText.Decode(value));
                break;
            case JsonValueKind.Number:
                text.Append(Number(JsonMarshal.GetRawUtf8Value(value)));
                break;
            case JsonValueKind.True:
                text.Append("True");
                break;
            case JsonValueKind.False:
                text.Append("False");
                break;
            case JsonValueKind.Array:
                WriteArray(text, value);
                break;
            case JsonValueKind.Object:
                WriteObject(text, value);
                break;
            default:
                text.Append("None");
                break;
        }
    }

    private static void WriteArray(StringBuilder text, JsonElement value)
    {
        text.Append('[');
        var isFirst = true;
        foreach (var item in value.EnumerateArray())
        {
            text.Append(isFirst ? "" : ", ");
            isFirst = false;
            Write(text, item);
            if (text.Length > CharactersMax)
                return;
        }

        text.Append(']');
    }

    private static void WriteObject(StringBuilder text, JsonElement value)
    {
        text.Append('{');
        var isFirst = true;
        foreach (var member in value.EnumerateObject())
        {
            text.Append(isFirst ? "" : ", ");
            isFirst = false;
            WriteString(text, StringText.Unescape(JsonMarshal.GetRawUtf8PropertyName(member)));
            text.Append(": ");
            Write(text, member.Value);
            if (text.Length > CharactersMax)
                return;
        }

        text.Append('}');
    }

    private static void WriteString(StringBuilder text, string value)
    {
        var quote = value.Contains('\'') && !value.Contains('"') ? '"' : '\'';
        text.Append(quote);
        foreach (var rune in value.EnumerateRunes())
        {
            if (text.Length > CharactersMax)
                return;
            switch (rune.Value)
            {
                case '\n':
                    text.Append("\\n");
                    break;
                case '\r':
                    text.Append("\\r");
                    break;
                case '\t':
                    text.Append("\\t");
                    break;
                case '\\':
                    text.Append("\\\\");
                    break;
                case var same when same == quote:
                    text.Append('\\').Append(quote);
                    break;
                default:
                    WriteRune(text, rune);
                    break;
            }
        }

        text.Append(quote);
    }

    private static void WriteRune(StringBuilder text, Rune rune)
    {
        if (IsPrintable(rune))
            text.Append(rune.ToString());
        else
            text.Append(rune.Value switch
            {
                <= 0xFF => $"\\x{rune.Value:x2}",
                <= 0xFFFF => $"\\u{rune.Value:x4}",
                _ => $"\\U{rune.Value:x8}",
            });
    }

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.SpaceSeparator);

    private static string Number(ReadOnlySpan<byte> raw)
    {
        var text = Encoding.ASCII.GetString(raw);
        if (raw.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0)
            return text is "-0" ? "0" : text;
        var value = double.Parse(text, CultureInfo.InvariantCulture);
        if (double.IsInfinity(value))
            return value > 0 ? "inf" : "-inf";
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        var number = new NumberText(Encoding.ASCII.GetBytes(shortest));
        return (double.IsNegative(value) ? "-" : "") + Digits(number);
    }

    private static string Digits(NumberText number)
    {
        if (number.IsZero)
            return "0.0";
        var text = new StringBuilder(number.Count);
        for (var i = 0; i < number.Count; i++)
            text.Append((char)('0' + number[i]));
        var digits = text.ToString();
        var point = (int)(number.Count + number.Exponent);
        if (point is > FixedDigitsMax or < -3)
        {
            var power = point - 1;
            var sign = power < 0 ? '-' : '+';
            return $"{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}e{sign}{Math.Abs(power):00}";
        }

        if (point <= 0)
            return $"0.{new string('0', -point)}{digits}";
        return point >= digits.Length
            ? $"{digits}{new string('0', point - digits.Length)}.0"
            : $"{digits[..point]}.{digits[point..]}";
    }
}
