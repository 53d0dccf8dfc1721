using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Duplex.Engine.Schemas.Values;
using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>
/// The door for JSON: it lets pass only what can be carried without change. Refused are invalid UTF-8, a byte order
/// mark, anything before or after the one value, members repeated within an object (by decoded name), escapes of lone
/// surrogates, too deep nesting and the empty text. Numbers pass with all their digits, however large.
/// </summary>
public static class StrictJson
{
    /// <summary>The nesting that is allowed unless something else is said.</summary>
    public const int DepthMaxUsual = 64;

    /// <summary>What is wrong, with byte offset and JSON pointer; null when nothing is. Allocates nothing for usual
    /// documents.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="depthMax">How many arrays and objects may enclose a value.</param>
    public static SyncError? Check(ReadOnlySpan<byte> utf8, int depthMax = DepthMaxUsual)
    {
        if (utf8.IsEmpty)
            return Refusal("The JSON text is empty", 0, "", "Send one JSON value.");
        if (utf8.StartsWith("\uFEFF"u8))
            return Refusal("The JSON text starts with a byte order mark", 0, "", "Send UTF-8 without the mark.");
        if (!Utf8.IsValid(utf8))
        {
            var offset = InvalidAt(utf8);
            return Refusal("The JSON text is not UTF-8", offset, JsonPlace.At(utf8[..offset]), "Send UTF-8.");
        }

        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = depthMax });
        var names = new MemberNames(utf8);
        try
        {
            return Read(utf8, ref reader, ref names);
        }
        catch (JsonException e)
        {
            var offset = Offset(utf8, e.LineNumber ?? 0, e.BytePositionInLine ?? 0);
            var isInside = reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject;
            var isDeep = reader.CurrentDepth + (isInside ? 1 : 0) >= depthMax
                && offset < utf8.Length && (utf8[offset] is (byte)'[' or (byte)'{');
            return isDeep
                ? Refusal($"The JSON text is nested more than {depthMax} deep", offset, JsonPlace.At(utf8[..offset]),
                    "Send a flatter document.")
                : Refusal("The text is not JSON", offset, JsonPlace.At(utf8[..offset]),
                    "Send one JSON value (RFC 8259), and nothing after it.");
        }
        finally
        {
            names.Dispose();
        }
    }

    private static SyncError? Read(ReadOnlySpan<byte> utf8, ref Utf8JsonReader reader, ref MemberNames names)
    {
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    names.Open();
                    break;
                case JsonTokenType.EndObject:
                    names.Close();
                    break;
                case JsonTokenType.PropertyName:
                    var start = (int)reader.TokenStartIndex;
                    if (reader.ValueIsEscaped && HasLoneSurrogate(reader.ValueSpan))
                        return LoneSurrogate(utf8, start);
                    if (!names.Add(start + 1, reader.ValueSpan.Length, reader.ValueIsEscaped))
                    {
                        return Refusal("A member is repeated", start, JsonPlace.Member(utf8[..start],
                            StringText.Unescape(reader.ValueSpan)), "Name each member of an object once.");
                    }

                    break;
                case JsonTokenType.String when reader.ValueIsEscaped && HasLoneSurrogate(reader.ValueSpan):
                    return LoneSurrogate(utf8, (int)reader.TokenStartIndex);
            }
        }

        return null;
    }

    private static SyncError LoneSurrogate(ReadOnlySpan<byte> utf8, int offset) =>
        Refusal("A string holds half a character (a lone surrogate)", offset, JsonPlace.At(utf8[..offset]),
            "Send both halves of the surrogate pair.");

    private static SyncError Refusal(string what, int offset, string pointer, string suggestion) =>
        new(ErrorCode.SourceUnreadable, $"{what} (byte {offset}{(pointer.Length == 0 ? "" : $", at {pointer}")}).",
            pointer, suggestion);

    private static bool HasLoneSurrogate(ReadOnlySpan<byte> raw)
    {
        var awaitsLow = false;
        for (var at = raw.IndexOf((byte)'\\'); at >= 0 && at < raw.Length;)
        {
            if (raw[at] != (byte)'\\')
            {
                if (awaitsLow)
                    return true;
                var next = raw[at..].IndexOf((byte)'\\');
                if (next < 0)
                    return false;
                at += next;
                continue;
            }

            var unit = raw[at + 1] == (byte)'u' ? StringText.Hex(raw.Slice(at + 2, 4)) : 0;
            var isLow = unit >> 10 == 0x37;
            if (isLow != awaitsLow)
                return true;
            awaitsLow = unit >> 10 == 0x36;
            at += raw[at + 1] == (byte)'u' ? 6 : 2;
        }

        return awaitsLow;
    }

    private static int InvalidAt(ReadOnlySpan<byte> utf8)
    {
        var at = 0;
        while (Rune.DecodeFromUtf8(utf8[at..], out _, out var taken) == OperationStatus.Done)
            at += taken;
        return at;
    }

    private static int Offset(ReadOnlySpan<byte> utf8, long line, long inLine)
    {
        var at = 0;
        for (; line > 0; line--)
            at += utf8[at..].IndexOf((byte)'\n') + 1;
        return (int)Math.Min(utf8.Length, at + inLine);
    }
}
