using System.Text;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>Checks keys: <c>Bearer</c>, or <c>Basic</c> with the key as user name.</summary>
internal sealed class Authentication(StripeSimulatorOptions options)
{
    private readonly HashSet<string> expired = new(options.ExpiredKeys, StringComparer.Ordinal);

    /// <exception cref="StripeException">
    /// 401 without a valid key, 403 where a restricted one lacks the permission.
    /// </exception>
    public void Check(string? authorization, Operation operation)
    {
        var key = KeyOf(authorization) ?? throw StripeException.Unauthorized(
            null,
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            + "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').");
        if (expired.Contains(key))
        {
            throw StripeException.Unauthorized("api_key_expired", $"Expired API Key provided: {Masked(key)}");
        }

        if (key == options.ApiKey)
        {
            return;
        }

        if (!options.RestrictedKeys.TryGetValue(key, out var permissions))
        {
            throw StripeException.Unauthorized(null, $"Invalid API Key provided: {Masked(key)}");
        }

        var needed = $"{operation.Area}:{(operation.Writes ? "write" : "read")}";
        if (!permissions.Contains(needed) && !permissions.Contains($"{operation.Area}:write"))
        {
            throw StripeException.Forbidden($"The provided key '{Masked(key)}' does not have the required permissions "
                + $"for this endpoint. Having the '{needed}' permission would allow this request to continue.");
        }
    }

    private static string? KeyOf(string? authorization)
    {
        if (authorization is null)
        {
            return null;
        }

        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return authorization[7..].Trim() is { Length: > 0 } key ? key : null;
        }

        if (!authorization.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var bytes = new byte[authorization.Length];
        return Convert.TryFromBase64String(authorization[6..].Trim(), bytes, out var length)
            ? Encoding.UTF8.GetString(bytes, 0, length).Split(':')[0] is { Length: > 0 } user ? user : null
            : null;
    }

    private static string Masked(string key) =>
        key.Length <= 12 ? new string('*', key.Length) : key[..8] + new string('*', key.Length - 12) + key[^4..];
}
