using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Duplex.Connectors.Stripe.Webhooks;

/// <summary>
/// Stripe's webhook signature: <c>t=seconds,v1=hex</c>, an HMAC-SHA256 under the whole secret over <c>t</c>, a dot and
/// the raw bytes of the body. While a secret is being rotated there are several <c>v1</c>; other schemes are passed
/// over.
/// </summary>
internal sealed class SignatureCheck
{
    private const int SignaturesMax = 16;
    private const int HeaderCharactersMax = 4096;

    private readonly byte[][] _secrets;
    private readonly TimeSpan _tolerance;
    private readonly TimeProvider _clock;

    public SignatureCheck(IEnumerable<string> secrets, TimeSpan tolerance, TimeProvider clock)
    {
        _secrets = [.. secrets.Where(static s => s.Length > 0).Select(Encoding.UTF8.GetBytes)];
        _tolerance = tolerance;
        _clock = clock;
    }

    /// <summary>Null when the body is signed by one of the secrets and is not stale; otherwise why it is
    /// refused.</summary>
    public string? Refusal(string? header, ReadOnlySpan<byte> body)
    {
        if (_secrets.Length == 0)
        {
            return "No webhook secret is configured for this connection.";
        }

        if (header is null || !TryRead(header, out var stamp, out var signatures))
        {
            return "The Stripe-Signature header is missing or cannot be read.";
        }

        if (!IsSigned(stamp, signatures, body))
        {
            return "The signature does not match.";
        }

        var age = _clock.GetUtcNow().ToUnixTimeSeconds() - long.Parse(stamp, CultureInfo.InvariantCulture);
        return Math.Abs(age) > _tolerance.TotalSeconds ? "The signature's timestamp is outside the tolerance." : null;
    }

    /// <summary>The hexadecimal signature of a body, as Stripe makes it.</summary>
    public static string Sign(string secret, string stamp, ReadOnlySpan<byte> body)
    {
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Digest(Encoding.UTF8.GetBytes(secret), stamp, body, digest);
        return Convert.ToHexStringLower(digest);
    }

    private bool IsSigned(string stamp, List<byte[]> signatures, ReadOnlySpan<byte> body)
    {
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        var found = false;
        foreach (var secret in _secrets)
        {
            Digest(secret, stamp, body, digest);
            foreach (var signature in signatures)
            {
                // Every pair is compared, so that the time tells nothing about which one matched.
                found |= CryptographicOperations.FixedTimeEquals(digest, signature);
            }
        }

        return found;
    }

    private static void Digest(byte[] secret, string stamp, ReadOnlySpan<byte> body, Span<byte> digest)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        hmac.AppendData(Encoding.ASCII.GetBytes(stamp));
        hmac.AppendData("."u8);
        hmac.AppendData(body);
        hmac.GetHashAndReset(digest);
    }

    private static bool TryRead(string header, out string stamp, out List<byte[]> signatures)
    {
        stamp = "";
        signatures = [];
        if (header.Length > HeaderCharactersMax)
        {
            return false;
        }

        foreach (var part in header.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.StartsWith("t=", StringComparison.Ordinal))
            {
                stamp = part[2..];
            }
            else if (part.StartsWith("v1=", StringComparison.Ordinal) && signatures.Count < SignaturesMax
                && IsDigest(part.AsSpan(3)))
            {
                signatures.Add(Convert.FromHexString(part.AsSpan(3)));
            }
        }

        return signatures.Count > 0
            && long.TryParse(stamp, NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }

    private static bool IsDigest(ReadOnlySpan<char> text) =>
        text.Length == 2 * HMACSHA256.HashSizeInBytes && !text.ContainsAnyExcept("0123456789abcdefABCDEF");
}
