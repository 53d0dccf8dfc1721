using System.Security.Cryptography;
using Duplex.Sdk;

namespace Duplex.Engine.Secrets;

/// <summary>A key that wraps data keys.</summary>
/// <param name="Id">Tells keys apart and gives nothing away.</param>
/// <param name="Bytes">The 32 bytes.</param>
internal sealed record MasterKey(string Id, byte[] Bytes)
{
    /// <summary>The length in bytes.</summary>
    public const int Size = 32;

    /// <summary>Makes a key of its bytes.</summary>
    public static MasterKey Of(byte[] bytes) =>
        new(Convert.ToHexString(HMACSHA256.HashData(bytes, "duplex/key-id"u8)[..8]), bytes);

    /// <summary>Never the bytes.</summary>
    public override string ToString() => Id;
}

/// <summary>
/// Finds the master keys: <c>DUPLEX_KEY</c>, <c>DUPLEX_KEY_PREVIOUS</c>, <c>secret.key</c>, and <c>secret.key.next</c>,
/// which is there while a rotation is under way. What is under the next key when a crash comes between is found there;
/// the next write ends the rotation.
/// </summary>
internal sealed class MasterKeys(string directory, Func<string, string?> environment)
{
    private const string Current = "DUPLEX_KEY";
    private const string Previous = "DUPLEX_KEY_PREVIOUS";

    private string KeyFile => Path.Combine(directory, "secret.key");

    private string NextFile => Path.Combine(directory, "secret.key.next");

    /// <summary>Whether the master key comes from outside.</summary>
    public bool FromEnvironment => environment(Current) is { Length: > 0 };

    /// <summary>Every key under which secrets may be; the one for writing first.</summary>
    public IReadOnlyList<MasterKey> Candidates() =>
        [.. new[] { FromVariable(Current), FromVariable(Previous), FromFile(KeyFile),
            FromFile(NextFile) }.OfType<MasterKey>()];

    /// <summary>The key for writing; made when there is none.</summary>
    public MasterKey Primary(bool create)
    {
        if (FromVariable(Current) is { } given)
        {
            return given;
        }

        return FromFile(KeyFile) ?? (create ? Make(KeyFile)
            : throw new SyncException(ErrorCode.StorageUnreadable, $"There is no key file {KeyFile}."));
    }

    /// <summary>Makes the key to which a rotation goes.</summary>
    public MasterKey WriteNext() => Make(NextFile);

    /// <summary>Makes the next key the current one.</summary>
    public void PromoteNext()
    {
        File.Move(NextFile, KeyFile, overwrite: true);
        DurableFiles.SyncDirectory(directory);
    }

    /// <summary>Ends a rotation that a crash left between its two steps.</summary>
    public void Promote(MasterKey used)
    {
        if (!FromEnvironment && FromFile(KeyFile)?.Id != used.Id && FromFile(NextFile)?.Id == used.Id)
        {
            PromoteNext();
        }
    }

    private static MasterKey Make(string path)
    {
        var key = RandomNumberGenerator.GetBytes(MasterKey.Size);
        DurableFiles.Replace(path, System.Text.Encoding.ASCII.GetBytes($"{Convert.ToBase64String(key)}\n"));
        return MasterKey.Of(key);
    }

    private MasterKey? FromVariable(string name) => environment(name) is { Length: > 0 } text
        ? Decode(text) ?? throw new SyncException(ErrorCode.ConfigInvalid, $"{name} is not a key.",
            "Give it 32 random bytes in base64: openssl rand -base64 32")
        : null;

    private static MasterKey? FromFile(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                return null;
            }

            const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
                | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & others) != 0)
            {
                throw new SyncException(ErrorCode.StorageUnreadable, $"The key file {path} is open to other users.",
                    $"chmod 600 {path}");
            }

            return Decode(File.ReadAllText(path).Trim()) ?? throw new SyncException(ErrorCode.StorageUnreadable,
                $"The key file {path} is damaged.", "Restore it from a copy, or store the secrets anew.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SyncException(ErrorCode.StorageUnreadable, $"The key file {path} cannot be read.",
                "Check its owner.", e);
        }
    }

    private static MasterKey? Decode(string text)
    {
        try
        {
            var bytes = text.Length == MasterKey.Size * 2
                ? Convert.FromHexString(text) : Convert.FromBase64String(text);
            return bytes.Length == MasterKey.Size ? MasterKey.Of(bytes) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
