using System.Security.Cryptography;
using System.Text;
using Duplex.Sdk;

namespace Duplex.Engine.Secrets;

/// <summary>
/// Keeps secrets in <c>secrets.json</c> of the data directory. Every secret has its own data key; data keys are wrapped
/// under one master key, which is <c>DUPLEX_KEY</c> (32 bytes in base64 or hex) or, where that is not set, the file
/// <c>secret.key</c> beside it, readable by its owner only and made with the first secret. A change of any byte is
/// noticed. To change a master key from the environment, start once with the former one in <c>DUPLEX_KEY_PREVIOUS</c>
/// and rotate.
/// </summary>
/// <param name="directory">The data directory.</param>
/// <param name="environment">Reads environment variables; null for those of the process.</param>
/// <param name="clock">The clock; null for the system's.</param>
public sealed class EmbeddedSecretStore(
    string directory, Func<string, string?>? environment = null, TimeProvider? clock = null) : ISecretStore
{
    private const int ValueBytesMax = 64 << 10;
    private const int SecretsMax = 10_000;
    private static readonly Lock OneWriter = new();

    private readonly SecretFile _file = new(Path.Combine(directory, "secrets.json"));
    private readonly MasterKeys _keys = new(directory, environment ?? Environment.GetEnvironmentVariable);
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    /// <inheritdoc/>
    public IReadOnlyList<SecretEntry> List() =>
        [.. Open().Secrets.Select(static s =>
            new SecretEntry(s.Name, s.Version, DateTimeOffset.FromUnixTimeMilliseconds(s.SetAtMs)))];

    /// <inheritdoc/>
    public string? Get(string name)
    {
        var opened = Open();
        return opened.Secrets.FirstOrDefault(s => s.Name == name) is { } sealedSecret
            ? Encoding.UTF8.GetString(sealedSecret.Open(opened.Key!)) : null;
    }

    /// <inheritdoc/>
    public void Set(string name, string value)
    {
        if (!SecretNames.IsValid(name))
        {
            throw new ArgumentException(
                $"A secret's name has up to {SecretNames.LengthMax} letters, digits and ._-, or tenant/name.",
                    nameof(name));
        }

        ArgumentException.ThrowIfNullOrEmpty(value);
        var bytes = Encoding.UTF8.GetBytes(value);
        if (bytes.Length > ValueBytesMax)
        {
            throw new ArgumentException($"A secret has at most {ValueBytesMax} bytes.", nameof(value));
        }

        Change((secrets, key) =>
        {
            var version = secrets.Find(s => s.Name == name)?.Version ?? 0;
            secrets.RemoveAll(s => s.Name == name);
            if (secrets.Count == SecretsMax)
            {
                throw new SyncException(ErrorCode.StorageFull, $"There are {SecretsMax} secrets already.",
                    "Delete some.");
            }

            secrets.Add(SealedSecret.Seal(key, name, version + 1, _clock.GetUtcNow().ToUnixTimeMilliseconds(), bytes));
            return true;
        });
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <inheritdoc/>
    public bool Delete(string name) => Change((secrets, _) => secrets.RemoveAll(s => s.Name == name) > 0);

    /// <inheritdoc/>
    public void RotateKey()
    {
        using var writing = Writing();
        var opened = Open();
        if (_keys.FromEnvironment)
        {
            if (opened.Key is { } used && used.Id == _keys.Primary(create: true).Id)
            {
                throw new SyncException(ErrorCode.ConfigInvalid, "The secrets are under DUPLEX_KEY already.",
                    "Set DUPLEX_KEY to a fresh key and DUPLEX_KEY_PREVIOUS to the former one, then rotate.");
            }

            Save(opened, _keys.Primary(create: true));
            return;
        }

        if (opened.Key is { } current)
        {
            _keys.Promote(current);
        }

        Save(opened, _keys.WriteNext());
        _keys.PromoteNext();
    }

    private bool Change(Func<List<SealedSecret>, MasterKey, bool> change)
    {
        using var writing = Writing();
        var opened = Open();
        if (opened.Key is { } used)
        {
            _keys.Promote(used);
        }

        var primary = _keys.Primary(create: true);
        var secrets = Rewrap(opened, primary);
        if (!change(secrets, primary))
        {
            return false;
        }

        _file.Write(primary, secrets);
        return true;
    }

    private void Save(OpenedSecrets opened, MasterKey key) => _file.Write(key, Rewrap(opened, key));

    private static List<SealedSecret> Rewrap(OpenedSecrets opened, MasterKey key) =>
        [.. opened.Secrets.Select(s => opened.Key is null || opened.Key.Id == key.Id ? s : s.Rewrap(opened.Key, key))];

    private OpenedSecrets Open() => _file.Read(_keys.Candidates());

    private WriterLock Writing()
    {
        OneWriter.Enter();
        try
        {
            Directory.CreateDirectory(directory);
            return new WriterLock(new FileStream(
                Path.Combine(directory, "secrets.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            OneWriter.Exit();
            throw new SyncException(ErrorCode.StorageFailed,
                $"The secrets in {directory} cannot be changed at the moment.",
                "Try again when no other process changes them, and check the directory's permissions.", e);
        }
    }

    private sealed class WriterLock(FileStream file) : IDisposable
    {
        public void Dispose()
        {
            file.Dispose();
            OneWriter.Exit();
        }
    }
}
