using System.Security.Cryptography;
using System.Text;

namespace Duplex.Sdk;

/// <summary>
/// The text by which a log knows that it has taken a delivery already: one name, or several after each other, of which each may
/// carry a digest of what was delivered under it. Whoever makes a name gives it a digest always or never. Under the same name and
/// digest it is the same delivery; under another digest the name was used for something else.
/// </summary>
public static class DeliveryId
{
    /// <summary>Stands between a name and its digest.</summary>
    public const char BeforeDigest = '\u001f';

    /// <summary>Stands between two names.</summary>
    public const char BetweenNames = '\u001e';

    private const int DigestBytes = 16;

    /// <summary>A name from a text that a poster chose. Texts that have a character of the form are named by their hash.</summary>
    public static string Name(char kind, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.AsSpan().IndexOfAny(BeforeDigest, BetweenNames) < 0
            ? $"{kind}:{text}"
            : $"{kind}#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";
    }

    /// <summary>A name with the digest of what is delivered under it.</summary>
    public static string Of(string name, string digest) => $"{name}{BeforeDigest}{digest}";

    /// <summary>Both ids: a change is held if the log holds either.</summary>
    public static string Both(string first, string second) => $"{first}{BetweenNames}{second}";

    /// <summary>The digest of what is delivered: as many characters for every content.</summary>
    public static string Digest(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return Convert.ToHexStringLower(hash[..DigestBytes]);
    }

    /// <summary>Whether an id is one name without a digest, as most are.</summary>
    public static bool IsPlain(string id) => id.AsSpan().IndexOfAny(BeforeDigest, BetweenNames) < 0;

    /// <summary>The names of an id, each with its digest; null where it has none.</summary>
    public static IEnumerable<(string Name, string? Digest)> Names(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        foreach (var part in id.Split(BetweenNames))
        {
            var end = part.IndexOf(BeforeDigest, StringComparison.Ordinal);
            yield return end < 0 ? (part, null) : (part[..end], part[(end + 1)..]);
        }
    }
}
