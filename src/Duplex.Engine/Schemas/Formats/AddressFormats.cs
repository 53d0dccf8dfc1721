namespace Duplex.Engine.Schemas.Formats;

/// <summary><c>ipv4</c> (RFC 2673) and <c>ipv6</c> (RFC 4291).</summary>
internal static class AddressFormats
{
    private const int Groups = 8;

    public static bool IsIpv4(ReadOnlySpan<char> text)
    {
        var parts = 0;
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            if (++parts > 4 || part.Length is 0 or > 3 || part.IndexOfAnyExceptInRange('0', '9') >= 0
                || (part.Length > 1 && part[0] == '0') || int.Parse(part) > 255)
            {
                return false;
            }
        }

        return parts == 4;
    }

    public static bool IsIpv6(ReadOnlySpan<char> text)
    {
        var gap = text.IndexOf("::");
        if (gap < 0)
            return Count(text, mayEndInIpv4: true) == Groups;
        var after = text[(gap + 2)..];
        if (after.IndexOf("::") >= 0 || (!after.IsEmpty && after[0] == ':'))
            return false;
        var first = text[..gap].IsEmpty ? 0 : Count(text[..gap], mayEndInIpv4: false);
        var second = after.IsEmpty ? 0 : Count(after, mayEndInIpv4: true);
        return first >= 0 && second >= 0 && first + second < Groups;
    }

    /// <summary>How many groups of 16 bits there are; -1 for something else.</summary>
    private static int Count(ReadOnlySpan<char> text, bool mayEndInIpv4)
    {
        var count = 0;
        while (true)
        {
            var end = text.IndexOf(':');
            var part = end < 0 ? text : text[..end];
            if (end < 0 && mayEndInIpv4 && part.Contains('.'))
                return IsIpv4(part) ? count + 2 : -1;
            if (part.Length is 0 or > 4 || part.IndexOfAnyExcept(Hexadecimal) >= 0)
                return -1;
            count++;
            if (end < 0)
                return count;
            text = text[(end + 1)..];
        }
    }

    private static readonly System.Buffers.SearchValues<char> Hexadecimal =
        System.Buffers.SearchValues.Create("0123456789abcdefABCDEF");
}
