using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Duplex.Engine.Mapping;

/// <summary>Makes and reads single JSON values.</summary>
internal static class JsonText
{
    private const int PlainMax = 256;

    private static readonly SearchValues<char> Plain =
        SearchValues.Create([.. Enumerable.Range(' ', 0x7F - ' ').Select(static c => (char)c)
            .Where(static c => c is not ('"' or '\\'))]);

    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>The value's UTF-8 as it stands in the record, strings with their quotes.</summary>
    public static ReadOnlySpan<byte> Raw(JsonElement element) => JsonMarshal.GetRawUtf8Value(element);

    /// <summary>The inside of a string's quotes; false when something in it is escaped, and for other kinds.</summary>
    public static bool TryPlain(JsonElement text, out ReadOnlySpan<byte> inside)
    {
        inside = default;
        if (text.ValueKind != JsonValueKind.String)
        {
            return false;
        }

        inside = Raw(text)[1..^1];
        return inside.IndexOf((byte)'\\') < 0;
    }

    /// <summary>A string's text; false for other kinds and for a string that holds half of a surrogate pair.</summary>
    public static bool TryText(JsonElement element, out string text)
    {
        text = "";
        if (element.ValueKind != JsonValueKind.String)
        {
            return false;
        }

        try
        {
            text = element.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>A JSON string.</summary>
    public static JsonElement String(string text)
    {
        if (text.Length <= PlainMax && IsPlain(text))
        {
            Span<byte> plain = stackalloc byte[PlainMax + 2];
            plain[0] = (byte)'"';
            var length = Encoding.ASCII.GetBytes(text, plain[1..]);
            plain[length + 1] = (byte)'"';
            return JsonElement.Parse(plain[..(length + 2)]);
        }

        var quoted = $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
        return JsonElement.Parse(Encoding.UTF8.GetBytes(quoted));
    }

    /// <summary>A JSON number.</summary>
    public static JsonElement Number(long number) => JsonElement.Parse(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A JSON array with one element per value; what has no value is null.</summary>
    public static JsonElement Array(ReadOnlySpan<FieldValue> values)
    {
        var buffer = new ArrayBufferWriter<byte>(64);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartArray();
            foreach (var value in values)
            {
                if (value.State == FieldState.Present)
                {
                    writer.WriteRawValue(Raw(value.Element), skipInputValidation: true);
                }
                else
                {
                    writer.WriteNullValue();
                }
            }

            writer.WriteEndArray();
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    /// <summary>Whether all its texts are Unicode: an escape may write half of a surrogate pair, which no sink
    /// takes.</summary>
    public static bool IsUnicode(JsonElement element)
    {
        if (Raw(element).IndexOf("\\u"u8) < 0)
        {
            return true;
        }

        try
        {
            using var writer = new Utf8JsonWriter(Stream.Null);
            element.WriteTo(writer);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsPlain(string text) => text.AsSpan().IndexOfAnyExcept(Plain) < 0;

    /// <summary>What kind of value it is, for messages.</summary>
    public static string Describe(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => "text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        _ => "nothing",
    };
}
