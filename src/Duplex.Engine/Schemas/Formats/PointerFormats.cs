namespace Duplex.Engine.Schemas.Formats;

/// <summary><c>json-pointer</c> (RFC 6901) and <c>relative-json-pointer</c>.</summary>
internal static class PointerFormats
{
    public static bool IsPointer(string text)
    {
        if (text.Length > 0 && text[0] != '/')
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '~' && (i + 1 == text.Length || text[i + 1] is not ('0' or '1')))
                return false;
        }

        return true;
    }

    public static bool IsRelative(string text)
    {
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        digits = digits < 0 ? text.Length : digits;
        if (digits == 0 || (digits > 1 && text[0] == '0'))
            return false;
        return text.AsSpan(digits) is "#" || IsPointer(text[digits..]);
    }
}
