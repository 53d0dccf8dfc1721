using System.Security.Cryptography;
using System.Text;

namespace Duplex.Server.Access;

/// <summary>What an API key may do.</summary>
public enum ApiRole
{
    /// <summary>Read everything it may see.</summary>
    Reader,
    /// <summary>Read, and pause, resume, replay, re-snapshot.</summary>
    Operator,
}

/// <summary>One API key. Only its hash is held.</summary>
/// <param name="Name">What the key is called in logs.</param>
/// <param name="Hash">SHA-256 of the key's UTF-8 text.</param>
/// <param name="Tenant">The only tenant that it sees; null for all.</param>
/// <param name="Role">What it may do.</param>
public sealed record ApiKey(string Name, ReadOnlyMemory<byte> Hash, string? Tenant, ApiRole Role)
{
    /// <summary>The shortest key that is taken, in characters.</summary>
    public const int LengthMin = 16;

    /// <summary>Makes a key from its text.</summary>
    public static ApiKey FromText(string name, string text, string? tenant = null, ApiRole role = ApiRole.Operator) =>
        new(name, SHA256.HashData(Encoding.UTF8.GetBytes(text)), tenant, role);

    /// <summary>
    /// The key that the token is, or null. Takes the same time whichever key fits and whether one does.
    /// </summary>
    public static ApiKey? Find(IReadOnlyList<ApiKey> keys, string token)
    {
        ArgumentNullException.ThrowIfNull(keys);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        ApiKey? found = null;
        foreach (var key in keys)
        {
            if (CryptographicOperations.FixedTimeEquals(key.Hash.Span, hash))
            {
                found = key;
            }
        }

        return found;
    }
}
