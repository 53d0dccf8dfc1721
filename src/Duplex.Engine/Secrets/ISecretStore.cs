using Duplex.Sdk;

namespace Duplex.Engine.Secrets;

/// <summary>
/// Keeps named secrets encrypted at rest. Safe to call from many threads and, for the embedded store, from several
/// processes. Values leave it only through <see cref="Get"/>, which the configuration's <c>${secret:name}</c> calls at
/// load.
/// </summary>
public interface ISecretStore
{
    /// <summary>The names, versions and times; never values. In the order of the names.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageUnreadable"/>: the key is wrong or others tampered
    /// with the store.</exception>
    IReadOnlyList<SecretEntry> List();

    /// <summary>The value, or null when there is no such secret.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageUnreadable"/>: the key is wrong or others tampered
    /// with the store.</exception>
    string? Get(string name);

    /// <summary>Stores a value under a name (<see cref="SecretNames"/>), durable when it returns; the former value is
    /// gone.</summary>
    /// <exception cref="ArgumentException">The name or the value is not allowed.</exception>
    /// <exception cref="SyncException">As for <see cref="Get"/>, or <see cref="ErrorCode.StorageFailed"/>.</exception>
    void Set(string name, string value);

    /// <summary>Removes a secret; false when there is none.</summary>
    /// <exception cref="SyncException">As for <see cref="Set"/>.</exception>
    bool Delete(string name);

    /// <summary>Wraps every secret under a fresh key. A crash at any point leaves all of them readable.</summary>
    /// <exception cref="SyncException">As for <see cref="Set"/>; or the key comes from outside and is not ours to
    /// change.</exception>
    void RotateKey();
}

/// <summary>What may be told about a secret.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">How often it was set.</param>
/// <param name="SetAt">When it was last set.</param>
public sealed record SecretEntry(string Name, int Version, DateTimeOffset SetAt);

/// <summary>The names that secrets may have.</summary>
public static class SecretNames
{
    /// <summary>The longest name.</summary>
    public const int LengthMax = 128;

    /// <summary>
    /// Letters, digits and <c>._-</c>, optionally <c>tenant/name</c> for a secret that only one tenant may use.
    /// </summary>
    public static bool IsValid(string? name) =>
        name is { Length: > 0 and <= LengthMax }
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '/')
        && name[0] != '/' && name[^1] != '/' && name.Count(static c => c == '/') <= 1;
}
