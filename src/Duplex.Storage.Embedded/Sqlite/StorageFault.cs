using Duplex.Sdk;

namespace Duplex.Storage.Embedded.Sqlite;

/// <summary>Says what a failure of SQLite means to the callers of a store.</summary>
internal static class StorageFault
{
    private const int NoSpace = 28;
    private const int QuotaLinux = 122;
    private const int QuotaMac = 69;
    private const int Fsync = SqliteNative.IoError | (4 << 8);
    private const int DirectoryFsync = SqliteNative.IoError | (5 << 8);

    /// <summary>The error to hand to callers.</summary>
    internal static SyncError Describe(SqliteException failure, string path)
    {
        if (IsFull(failure))
        {
            return new SyncError(ErrorCode.StorageFull, $"There is no room to write {path}.",
                Suggestion: $"Free disk space under {Path.GetDirectoryName(path)}, or raise the quota; writing resumes by itself.",
                Detail: failure.Message);
        }

        if (failure.Code is SqliteNative.Corrupt or SqliteNative.NotADatabase)
        {
            return new SyncError(ErrorCode.StorageUnreadable, $"{path} is damaged.",
                Suggestion: $"Stop Duplex, keep a copy of the file, and restore {Path.GetFileName(path)} from a backup, " +
                    "or move it away and take a fresh snapshot of every connection.",
                Detail: failure.Message);
        }

        if (failure.Code == SqliteNative.CantOpen)
        {
            return new SyncError(ErrorCode.StorageFailed, $"{path} cannot be opened.",
                Suggestion: $"Check that the user who runs Duplex may write to {Path.GetDirectoryName(path)}.",
                Detail: failure.Message);
        }

        if (failure.Code == SqliteNative.Busy)
        {
            return new SyncError(ErrorCode.StorageFailed, $"Another program holds a lock on {path}.",
                Suggestion: "Close it (a sqlite3 shell, a backup tool); the next write goes through.",
                    Detail: failure.Message);
        }

        return new SyncError(ErrorCode.StorageFailed,
            $"Writing or reading {path} failed; nothing more is acknowledged.",
            Suggestion: "Check the disk (kernel log, file system, permissions) and start Duplex again; what was acknowledged is kept.",
            Detail: failure.SystemError == 0 ? failure.Message : $"{failure.Message} (errno {failure.SystemError})");
    }

    /// <summary>Whether it says something about the file or the disk, and not about one statement.</summary>
    internal static bool IsOfTheDisk(SqliteException failure) =>
        failure.Code is SqliteNative.Full or SqliteNative.IoError
        or SqliteNative.Corrupt or SqliteNative.NotADatabase or SqliteNative.CantOpen or SqliteNative.ReadOnly;

    /// <summary>
    /// Whether the failure goes away once there is room. A failed fsync is never of this kind, whatever its errno: the
    /// kernel may have dropped the pages, and a second fsync would report a success that is none.
    /// </summary>
    internal static bool IsFull(SqliteException failure)
    {
        if (failure.Code == SqliteNative.Full)
        {
            return true;
        }

        return failure.Code == SqliteNative.IoError
            && failure.ExtendedCode is not (Fsync or DirectoryFsync)
            && failure.SystemError is NoSpace or QuotaLinux or QuotaMac;
    }
}
