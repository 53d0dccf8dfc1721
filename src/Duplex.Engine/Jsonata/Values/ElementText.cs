using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Duplex.Engine.Jsonata.Values;

/// <summary>Texts of JSON elements, such as they stand in the document.</summary>
internal static class ElementText
{
    /// <summary>Digits that every double can hold.</summary>
    private const int DigitsExact = 15;

    public static string Decode(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Unescape(element.GetRawText().AsSpan()[1..^1]);
        }
    }

    public static string DecodeName(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            string raw = Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8PropertyName(property));
            return Unescape(raw);
        }
    }

    public static Value Number(JsonElement element)
    {
        var raw = JsonMarshal.GetRawUtf8Value(element);
        double number = double.Parse(raw, NumberStyles.Float, CultureInfo.InvariantCulture);
        return IsPlain(raw) ? Value.Of(number) : Value.Of(number, Encoding.ASCII.GetString(raw));
    }

    /// <summary>True if the text holds a surrogate written as an escape, which may lack its other half.</summary>
    public static bool HasEscapedSurrogate(JsonElement element)
    {
        var raw = JsonMarshal.GetRawUtf8Value(element);
        return raw.IndexOf("\\ud"u8) >= 0 || raw.IndexOf("\\uD"u8) >= 0;
    }

    private static bool IsPlain(ReadOnlySpan<byte> raw)
    {
        var digits = raw[0] == '-' ? raw[1..] : raw;
        return digits.Length <= DigitsExact && digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0
            && (raw[0] != '-' || digits[0] != '0');
    }

    private static string Unescape(ReadOnlySpan<char> raw)
    {
        var text = new StringBuilder(raw.Length);
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }
            i++;
            if (raw[i] == 'u')
            {
                text.Append((char)ushort.Parse(raw.Slice(i + 1, 4), NumberStyles.HexNumber,
                    CultureInfo.InvariantCulture));
                i += 4;
            }
            else
                text.Append(raw[i] switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', var c => c });
        }
        return text.ToString();
    }
}
