using System.Buffers;

namespace Duplex.Engine.Schemas.Formats;

/// <summary><c>uri</c>, <c>uri-reference</c> (RFC 3986), <c>iri</c> and <c>iri-reference</c> (RFC 3987).</summary>
internal static class UriFormats
{
    private const string Plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=";

    private static readonly SearchValues<char> HostCharacters = SearchValues.Create(Plain);
    private static readonly SearchValues<char> UserCharacters = SearchValues.Create(Plain + ":");
    private static readonly SearchValues<char> PathCharacters = SearchValues.Create(Plain + ":@/");
    private static readonly SearchValues<char> QueryCharacters = SearchValues.Create(Plain + ":@/?");

    public static bool IsUri(ReadOnlySpan<char> text, bool isInternational)
    {
        var colon = text.IndexOf(':');
        return colon > 0 && IsScheme(text[..colon]) && IsRest(text[(colon + 1)..], isInternational);
    }

    public static bool IsReference(ReadOnlySpan<char> text, bool isInternational)
    {
        if (IsUri(text, isInternational))
            return true;
        // Without a scheme no colon may stand before the first slash, or it would look like one.
        var end = text.IndexOfAny('/', '?', '#');
        return !(end < 0 ? text : text[..end]).Contains(':') && IsRest(text, isInternational);
    }

    private static bool IsScheme(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.'))
                return false;
        }

        return char.IsAsciiLetter(text[0]);
    }

    private static bool IsRest(ReadOnlySpan<char> text, bool isInternational)
    {
        if (text.IndexOf('#') is var hash and >= 0)
        {
            if (!Consists(text[(hash + 1)..], QueryCharacters, isInternational))
                return false;
            text = text[..hash];
        }

        if (text.IndexOf('?') is var mark and >= 0)
        {
            if (!Consists(text[(mark + 1)..], QueryCharacters, isInternational, mayBePrivate: true))
                return false;
            text = text[..mark];
        }

        if (text.StartsWith("//"))
        {
            text = text[2..];
            var end = text.IndexOf('/');
            end = end < 0 ? text.Length : end;
            if (!IsAuthority(text[..end], isInternational))
                return false;
            text = text[end..];
        }

        return Consists(text, PathCharacters, isInternational);
    }

    private static bool IsAuthority(ReadOnlySpan<char> text, bool isInternational)
    {
        if (text.LastIndexOf('@') is var at and >= 0)
        {
            if (!Consists(text[..at], UserCharacters, isInternational))
                return false;
            text = text[(at + 1)..];
        }

        if (text.StartsWith("["))
        {
            var end = text.IndexOf(']');
            return end > 0 && IsLiteral(text[1..end]) && IsPort(text[(end + 1)..]);
        }

        var colon = text.IndexOf(':');
        var host = colon < 0 ? text : text[..colon];
        return Consists(host, HostCharacters, isInternational) && IsPort(colon < 0 ? default : text[colon..]);
    }

    private static bool IsPort(ReadOnlySpan<char> text) =>
        text.IsEmpty || (text[0] == ':' && text[1..].IndexOfAnyExceptInRange('0', '9') < 0);

    private static bool IsLiteral(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text[0] is not ('v' or 'V'))
            return AddressFormats.IsIpv6(text);
        var dot = text.IndexOf('.');
        if (dot < 2 || dot == text.Length - 1)
            return false;
        foreach (var c in text[1..dot])
        {
            if (!char.IsAsciiHexDigit(c))
                return false;
        }

        return text[(dot + 1)..].IndexOfAnyExcept(UserCharacters) < 0;
    }

    private static bool Consists(
        ReadOnlySpan<char> text, SearchValues<char> allowed, bool isInternational, bool mayBePrivate = false)
    {
        while (text.IndexOfAnyExcept(allowed) is var at and >= 0)
        {
            text = text[at..];
            if (text[0] == '%')
            {
                if (text.Length < 3 || !char.IsAsciiHexDigit(text[1]) || !char.IsAsciiHexDigit(text[2]))
                    return false;
                text = text[3..];
                continue;
            }

            if (!isInternational || System.Text.Rune.DecodeFromUtf16(text, out var rune, out var length)
                != OperationStatus.Done || !IsInternational(rune.Value, mayBePrivate))
            {
                return false;
            }

            text = text[length..];
        }

        return true;
    }

    private static bool IsInternational(int c, bool mayBePrivate) => c switch
    {
        < 0xA0 => false,
        >= 0xE000 and <= 0xF8FF => mayBePrivate,
        > 0xD7FF and < 0xF900 => false,
        >= 0xFDD0 and <= 0xFDEF => false,
        >= 0xFFF0 and <= 0xFFFF => false,
        >= 0xE0000 and <= 0xE0FFF => false,
        >= 0xF0000 => mayBePrivate && (c & 0xFFFF) < 0xFFFE,
        _ => (c & 0xFFFF) < 0xFFFE,
    };
}
