using System.Globalization;
using Duplex.Sdk;

namespace Duplex.Storage.Embedded;

/// <summary>Keeps a second opener away from a store's file. The operating system drops the lock with the
/// process.</summary>
internal sealed class DirectoryLock : IDisposable
{
    /// <summary>EWOULDBLOCK.</summary>
    private const int WouldBlock = 11;

    private readonly FileStream _file;

    private DirectoryLock(FileStream file) => _file = file;

    /// <summary>Creates the directory if need be and takes the lock of the named store (<c>log</c>,
    /// <c>state</c>).</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.StorageFenced"/>: taken.
    /// <see cref="ErrorCode.StorageFailed"/>: the directory cannot be made or written.</exception>
    public static DirectoryLock Take(string directory, string store)
    {
        var path = Path.Combine(directory, $"{store}.lock");
        var owner = Path.Combine(directory, $"{store}.pid");
        try
        {
            Directory.CreateDirectory(directory);
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            RecordOwner(owner);
            return new DirectoryLock(file);
        }
        catch (IOException e) when (File.Exists(directory))
        {
            throw new SyncException(ErrorCode.StorageFailed, $"{directory} is a file and cannot be the data directory.",
                "Remove it, or set another directory under data: in duplex.yaml.", e);
        }
        catch (Exception e)
            when (e is UnauthorizedAccessException || (e is IOException && !IsTaken(e)))
        {
            throw new SyncException(ErrorCode.StorageFailed, $"The data directory {directory} cannot be written: {e.Message}",
                $"Give the user who runs Duplex write access to {directory}, or set another directory under data: in duplex.yaml.", e);
        }
        catch (IOException e)
        {
            var holder = ReadOwner(owner);
            throw new SyncException(ErrorCode.StorageFenced,
                $"The data directory {directory} is in use by another process{(holder is null ? "" : $" (pid {holder})")}.",
                "Stop the other Duplex process, or set another directory under data: in duplex.yaml.", e);
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Whether another process holds the lock. A file system that is read-only or full fails otherwise.</summary>
    private static bool IsTaken(Exception e) => e.HResult == WouldBlock;

    private static void RecordOwner(string path)
    {
        try
        {
            File.WriteAllText(path, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // The number is for the message of the second opener only; a full disk must not keep the first from
            // starting.
        }
    }

    private static string? ReadOwner(string path)
    {
        try
        {
            var text = File.ReadAllText(path).Trim();
            return text.Length == 0 ? null : text;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
