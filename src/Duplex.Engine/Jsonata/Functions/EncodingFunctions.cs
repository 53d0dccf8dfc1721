using System.Buffers;
using System.Globalization;
using System.Text;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary>Base64 of Latin-1, and percent-encoding of UTF-8.</summary>
internal static class EncodingFunctions
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()";
    private const string Reserved = ";/?:@&=+$,#";

    private static readonly SearchValues<char> _component = SearchValues.Create(Unreserved);
    private static readonly SearchValues<char> _url = SearchValues.Create(Unreserved + Reserved);
    private static readonly UTF8Encoding _strictUtf8 = new(false, true);

    public static Value Base64Encode(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string text = arguments[0].Text;
        site.Run.Charge(4L * text.Length);
        var bytes = new byte[text.Length];
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = unchecked((byte)text[i]);
        return Value.Of(Convert.ToBase64String(bytes));
    }

    /// <summary>Reads the alphabet of URLs as well; what belongs to no alphabet is passed over.</summary>
    public static Value Base64Decode(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string text = arguments[0].Text;
        site.Run.Charge(2L * text.Length);
        var result = new StringBuilder(text.Length);
        int bits = 0;
        int buffer = 0;
        foreach (char c in text)
        {
            if (c == '=')
                break;
            int digit = Digit(c);
            if (digit < 0)
                continue;
            buffer = (buffer << 6 | digit) & 0xFFFF;
            bits += 6;
            if (bits < 8)
                continue;
            bits -= 8;
            result.Append((char)(buffer >> bits & 0xFF));
        }
        return Value.Of(result.ToString());
    }

    public static Value EncodeUrl(Value[] arguments, in CallSite site) =>
        Encode("encodeUrl", arguments[0], _url, site.Run);

    public static Value EncodeUrlComponent(Value[] arguments, in CallSite site) =>
        Encode("encodeUrlComponent", arguments[0], _component, site.Run);

    public static Value DecodeUrl(Value[] arguments, in CallSite site) =>
        Decode("decodeUrl", arguments[0], Reserved, site.Run);

    public static Value DecodeUrlComponent(Value[] arguments, in CallSite site) =>
        Decode("decodeUrlComponent", arguments[0], "", site.Run);

    private static int Digit(char c) => c switch
    {
        >= 'A' and <= 'Z' => c - 'A',
        >= 'a' and <= 'z' => c - 'a' + 26,
        >= '0' and <= '9' => c - '0' + 52,
        '+' or '-' => 62,
        '/' or '_' => 63,
        _ => -1,
    };

    private static Value Encode(string function, in Value argument, SearchValues<char> plain, EvaluationRun run)
    {
        if (argument.IsUndefined)
            return argument;
        string text = argument.Text;
        run.Charge(18L * text.Length);
        byte[] bytes;
        try
        {
            bytes = _strictUtf8.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            throw Errors.Of("D3140", function, text);
        }
        var result = new StringBuilder(bytes.Length);
        foreach (byte b in bytes)
        {
            if (b < 0x80 && plain.Contains((char)b))
                result.Append((char)b);
            else
                result.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
        return Value.Of(result.ToString());
    }

    /// <summary>Decodes all but the escapes of characters that are to stay.</summary>
    private static Value Decode(string function, in Value argument, string kept, EvaluationRun run)
    {
        if (argument.IsUndefined)
            return argument;
        string text = argument.Text;
        run.Charge(4L * text.Length);
        var result = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length;)
        {
            if (text[i] != '%')
            {
                result.Append(text[i++]);
                continue;
            }
            int start = i;
            string decoded = DecodeOne(text, ref i) ?? throw Errors.Of("D3140", function, text);
            bool stays = decoded.Length == 1 && kept.Contains(decoded, StringComparison.Ordinal);
            result.Append(stays ? text[start..i] : decoded);
        }
        return Value.Of(result.ToString());
    }

    /// <summary>Decodes the escapes of one character; null if they are none.</summary>
    private static string? DecodeOne(string text, ref int at)
    {
        Span<byte> bytes = stackalloc byte[4];
        int count = 0;
        int length = 1;
        while (count < length)
        {
            if (at + 2 >= text.Length || text[at] != '%' || !byte.TryParse(text.AsSpan(at + 1, 2),
                    NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[count]))
                return null;
            if (count == 0)
                length = bytes[0] switch { < 0x80 => 1, >= 0xC2 and < 0xE0 => 2, >= 0xE0 and < 0xF0 => 3, >= 0xF0 and < 0xF5 => 4, _ => 0 };
            if (length == 0)
                return null;
            count++;
            at += 3;
        }
        return System.Text.Unicode.Utf8.IsValid(bytes[..count]) ? Encoding.UTF8.GetString(bytes[..count]) : null;
    }
}
