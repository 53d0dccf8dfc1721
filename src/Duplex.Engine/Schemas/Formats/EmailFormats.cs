namespace Duplex.Engine.Schemas.Formats;

/// <summary><c>email</c> (RFC 5321) and <c>idn-email</c> (RFC 6531): one mailbox.</summary>
internal static class EmailFormats
{
    private const int LocalMax = 64;

    public static bool IsEmail(string text, bool isInternational)
    {
        var at = text.LastIndexOf('@');
        return at > 0 && at <= LocalMax * 4 && IsLocal(text.AsSpan(0, at), isInternational)
            && IsDomain(text[(at + 1)..], isInternational);
    }

    private static bool IsLocal(ReadOnlySpan<char> local, bool isInternational) =>
        local[0] == '"' ? IsQuoted(local, isInternational) : IsDotted(local, isInternational);

    private static bool IsDotted(ReadOnlySpan<char> local, bool isInternational)
    {
        var afterDot = true;
        foreach (var c in local)
        {
            if (c == '.' ? afterDot : !IsAtom(c, isInternational))
                return false;
            afterDot = c == '.';
        }

        return !afterDot;
    }

    private static bool IsAtom(char c, bool isInternational) =>
        char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=?^_`{|}~".Contains(c) || (isInternational && c > '\x7F');

    private static bool IsQuoted(ReadOnlySpan<char> local, bool isInternational)
    {
        if (local.Length < 2 || local[^1] != '"')
            return false;
        local = local[1..^1];
        for (var i = 0; i < local.Length; i++)
        {
            if (local[i] == '\\' && ++i == local.Length)
                return false;
            var isPlain = local[i] is >= ' ' and <= '~' || (isInternational && local[i] > '\x7F');
            if (!isPlain || (local[i] == '"' && (i == 0 || local[i - 1] != '\\')))
                return false;
        }

        return true;
    }

    private static bool IsDomain(string domain, bool isInternational)
    {
        if (domain is not ['[', .., ']'])
            return isInternational ? HostFormats.IsInternational(domain) : HostFormats.IsHostname(domain);
        var literal = domain.AsSpan(1, domain.Length - 2);
        return literal.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase)
            ? AddressFormats.IsIpv6(literal[5..])
            : AddressFormats.IsIpv4(literal);
    }
}
