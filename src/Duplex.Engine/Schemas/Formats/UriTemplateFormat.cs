namespace Duplex.Engine.Schemas.Formats;

/// <summary><c>uri-template</c> (RFC 6570).</summary>
internal static class UriTemplateFormat
{
    public static bool IsTemplate(string text)
    {
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            if (rest[0] == '{')
            {
                var end = rest.IndexOf('}');
                if (end < 0 || !IsExpression(rest[1..end]))
                    return false;
                rest = rest[(end + 1)..];
            }
            else if (rest[0] == '%')
            {
                if (!IsTriplet(rest))
                    return false;
                rest = rest[3..];
            }
            else if (IsLiteral(rest[0]))
            {
                rest = rest[1..];
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsLiteral(char c) => c > ' ' && c is not ('"' or '<' or '>' or '\\' or '^' or '`' or '{' or '|'
        or '}') && c is not (>= '\x7F' and < '\xA0');

    private static bool IsTriplet(ReadOnlySpan<char> text) =>
        text.Length >= 3 && text[0] == '%' && char.IsAsciiHexDigit(text[1]) && char.IsAsciiHexDigit(text[2]);

    private static bool IsExpression(ReadOnlySpan<char> text)
    {
        if (!text.IsEmpty && "+#./;?&=,!@|".Contains(text[0]))
            text = text[1..];
        if (text.IsEmpty)
            return false;
        foreach (var range in text.Split(','))
        {
            if (!IsVariable(text[range]))
                return false;
        }

        return true;
    }

    private static bool IsVariable(ReadOnlySpan<char> text)
    {
        if (text.EndsWith("*"))
        {
            text = text[..^1];
        }
        else if (text.IndexOf(':') is var colon and >= 0)
        {
            var length = text[(colon + 1)..];
            if (length.Length is 0 or > 4 || length[0] == '0' || length.IndexOfAnyExceptInRange('0', '9') >= 0)
                return false;
            text = text[..colon];
        }

        var afterDot = true;
        while (!text.IsEmpty)
        {
            if (text[0] == '.' && afterDot)
                return false;
            afterDot = text[0] == '.';
            if (text[0] == '%' && !IsTriplet(text))
                return false;
            if (text[0] != '%' && !afterDot && !char.IsAsciiLetterOrDigit(text[0]) && text[0] != '_')
                return false;
            text = text[(text[0] == '%' ? 3 : 1)..];
        }

        return !afterDot;
    }
}
