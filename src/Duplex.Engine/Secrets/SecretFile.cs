using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Secrets;

/// <summary>What the file holds, and the key under which it is; no key when there is no file.</summary>
internal sealed record OpenedSecrets(MasterKey? Key, IReadOnlyList<SealedSecret> Secrets);

/// <summary>
/// The file of the secrets. A seal over all entries shows that one was removed, added or exchanged by others. Replaced
/// as a whole, so that a reader sees the former or the latter state.
/// </summary>
internal sealed class SecretFile(string path)
{
    private const int FormatVersion = 1;
    private const long BytesMax = 256L << 20;

    /// <summary>Reads and checks it.</summary>
    public OpenedSecrets Read(IReadOnlyList<MasterKey> candidates)
    {
        byte[] bytes;
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                return new OpenedSecrets(null, []);
            }

            bytes = file.Length <= BytesMax ? File.ReadAllBytes(path) : throw SealedSecret.Tampered(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SyncException(ErrorCode.StorageUnreadable, $"{path} cannot be read.", "Check its owner.", e);
        }

        try
        {
            return Parse(bytes, candidates);
        }
        catch (Exception e)
            when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw SealedSecret.Tampered(path);
        }
    }

    /// <summary>Replaces it, durable when it returns.</summary>
    public void Write(MasterKey key, IReadOnlyList<SealedSecret> secrets)
    {
        var ordered = secrets.OrderBy(static s => s.Name, StringComparer.Ordinal).ToList();
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", FormatVersion);
            writer.WriteString("key", key.Id);
            writer.WriteBase64String("seal", Seal(key, ordered));
            writer.WriteStartArray("secrets");
            foreach (var secret in ordered)
            {
                writer.WriteStartObject();
                writer.WriteString("name", secret.Name);
                writer.WriteNumber("version", secret.Version);
                writer.WriteNumber("set_at_ms", secret.SetAtMs);
                writer.WriteBase64String("wrapped_key", secret.WrappedKey);
                writer.WriteBase64String("data", secret.Data);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        DurableFiles.Replace(path, stream.ToArray());
    }

    private OpenedSecrets Parse(byte[] bytes, IReadOnlyList<MasterKey> candidates)
    {
        using var document = JsonDocument.Parse(bytes);
        var root = document.RootElement;
        if (root.GetProperty("version").GetInt32() != FormatVersion)
        {
            throw new SyncException(ErrorCode.StorageUnreadable, $"{path} was written by another version.",
                "Use that version.");
        }

        var id = root.GetProperty("key").GetString();
        var key = candidates.FirstOrDefault(k => k.Id == id) ?? throw new SyncException(ErrorCode.StorageUnreadable,
            $"The secrets in {path} are under another master key.",
                "Give the key back: DUPLEX_KEY, or the file secret.key.");
        var secrets = root.GetProperty("secrets").EnumerateArray().Select(static s => new SealedSecret(
            s.GetProperty("name").GetString()!, s.GetProperty("version").GetInt32(), s.GetProperty("set_at_ms")
                .GetInt64(),
            s.GetProperty("wrapped_key").GetBytesFromBase64(), s.GetProperty("data").GetBytesFromBase64())).ToList();
        return CryptographicOperations.FixedTimeEquals(root.GetProperty("seal").GetBytesFromBase64(),
            Seal(key, secrets))
            ? new OpenedSecrets(key, secrets) : throw SealedSecret.Tampered(path);
    }

    private static byte[] Seal(MasterKey key, IReadOnlyList<SealedSecret> secrets)
    {
        var sealKey = HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Bytes, MasterKey.Size,
            info: "duplex/secrets/seal"u8.ToArray());
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, sealKey);
        foreach (var secret in secrets)
        {
            mac.AppendData(Encoding.UTF8.GetBytes(
                $"{secret.Name}\0{secret.Version}\0{secret.SetAtMs}\0{secret.WrappedKey.Length}\0{secret.Data.Length}\0"));
            mac.AppendData(secret.WrappedKey);
            mac.AppendData(secret.Data);
        }

        return mac.GetHashAndReset();
    }
}
