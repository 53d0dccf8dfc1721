using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Duplex.Engine.Push;

/// <summary>Signs webhooks after Standard Webhooks with HMAC-SHA256 (<c>v1</c>). The key is the decoded base64, not the
/// text.</summary>
internal sealed class WebhookSecret
{
    private const string Prefix = "whsec_";
    private const int BytesMin = 24;
    private const int BytesMax = 64;

    private readonly byte[] _key;

    private WebhookSecret(byte[] key) => _key = key;

    public static bool TryParse(string? text, [NotNullWhen(true)] out WebhookSecret? secret)
    {
        secret = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var key = new byte[text.Length];
        if (!Convert.TryFromBase64String(text[Prefix.Length..], key, out var length) || length is < BytesMin or > BytesMax)
        {
            return false;
        }

        secret = new WebhookSecret(key[..length]);
        return true;
    }

    /// <summary>The header <c>webhook-signature</c>: one signature of each secret, apart by spaces.</summary>
    public static string Sign(IReadOnlyList<WebhookSecret> secrets, string id, long seconds, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{seconds}."));
        var header = new StringBuilder();
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        foreach (var secret in secrets)
        {
            using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret._key);
            hmac.AppendData(head);
            hmac.AppendData(body);
            hmac.GetHashAndReset(mac);
            header.Append(header.Length > 0 ? " v1," : "v1,").Append(Convert.ToBase64String(mac));
        }

        return header.ToString();
    }
}
