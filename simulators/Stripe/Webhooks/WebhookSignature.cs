using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Duplex.Simulators.Stripe.Webhooks;

/// <summary>Makes the <c>Stripe-Signature</c> header: a time, and an HMAC-SHA256 for every secret.</summary>
public static class WebhookSignature
{
    /// <summary>The header for a body sent at <paramref name="unixSeconds"/>.</summary>
    /// <param name="body">The raw bytes that are sent.</param>
    /// <param name="unixSeconds">Time of the attempt.</param>
    /// <param name="secrets">Secrets as text, <c>whsec_</c> included; while one is rotated there are two.</param>
    public static string Header(ReadOnlySpan<byte> body, long unixSeconds, IReadOnlyList<string> secrets)
    {
        var time = unixSeconds.ToString(CultureInfo.InvariantCulture);
        var message = new byte[time.Length + 1 + body.Length];
        Encoding.ASCII.GetBytes(time, message);
        message[time.Length] = (byte)'.';
        body.CopyTo(message.AsSpan(time.Length + 1));
        var header = new StringBuilder("t=").Append(time);
        foreach (var secret in secrets)
        {
            header.Append(",v1=").Append(Hex(secret, message));
        }

        // Stripe adds a v0 signature to test events, which receivers must not accept in place of v1.
        return header.Append(",v0=").Append(Hex("v0", message)).ToString();
    }

    private static string Hex(string secret, byte[] message) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), message));
}
