using System.Security.Cryptography;
using System.Text;
using Duplex.Sdk;

namespace Duplex.Engine.Secrets;

/// <summary>
/// One secret as it lies on disk: the value under its own data key, the data key under the master key, both AES-256-GCM
/// and bound to the name and version, so that neither opens under another name.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">How often it was set.</param>
/// <param name="SetAtMs">When, milliseconds since 1970 UTC.</param>
/// <param name="WrappedKey">Nonce, tag and ciphertext of the data key.</param>
/// <param name="Data">Nonce, tag and ciphertext of the value.</param>
internal sealed record SealedSecret(string Name, int Version, long SetAtMs, byte[] WrappedKey, byte[] Data)
{
    private const int NonceSize = 12;
    private const int TagSize = 16;

    /// <summary>Seals a value under a fresh data key.</summary>
    public static SealedSecret Seal(MasterKey master, string name, int version, long setAtMs, byte[] value)
    {
        var dataKey = RandomNumberGenerator.GetBytes(MasterKey.Size);
        try
        {
            return new SealedSecret(name, version, setAtMs,
                Encrypt(master.Bytes, dataKey, Binding("key", name, version)),
                    Encrypt(dataKey, value, Binding("value", name, version)));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(dataKey);
        }
    }

    /// <summary>The value.</summary>
    /// <exception cref="SyncException">Some byte of it is not ours.</exception>
    public byte[] Open(MasterKey master) => Decrypt(DataKey(master), Data, Binding("value", Name, Version));

    /// <summary>The same value with its data key under another master key.</summary>
    public SealedSecret Rewrap(MasterKey from, MasterKey to) =>
        this with { WrappedKey = Encrypt(to.Bytes, DataKey(from), Binding("key", Name, Version)) };

    /// <summary>The error of a store that others tampered with.</summary>
    public static SyncException Tampered(string what) => new(ErrorCode.StorageUnreadable,
        $"{what} was changed by something other than Duplex, or is damaged.",
            "Restore it from a copy, or store the secrets anew.");

    private byte[] DataKey(MasterKey master) => Decrypt(master.Bytes, WrappedKey, Binding("key", Name, Version));

    private static byte[] Binding(string part, string name, int version) =>
        Encoding.UTF8.GetBytes($"duplex/secret/{part}\0{name}\0{version}");

    private static byte[] Encrypt(byte[] key, byte[] plain, byte[] binding)
    {
        var box = new byte[NonceSize + TagSize + plain.Length];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceSize));
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(box.AsSpan(0, NonceSize), plain, box.AsSpan(NonceSize + TagSize), box.AsSpan(NonceSize, TagSize),
            binding);
        return box;
    }

    private byte[] Decrypt(byte[] key, byte[] box, byte[] binding)
    {
        if (box.Length < NonceSize + TagSize || key.Length != MasterKey.Size)
        {
            throw Tampered($"The secret {Name}");
        }

        try
        {
            var plain = new byte[box.Length - NonceSize - TagSize];
            using var aes = new AesGcm(key, TagSize);
            aes.Decrypt(box.AsSpan(0, NonceSize), box.AsSpan(NonceSize + TagSize), box.AsSpan(NonceSize, TagSize),
                plain, binding);
            return plain;
        }
        catch (CryptographicException)
        {
            throw Tampered($"The secret {Name}");
        }
    }
}
