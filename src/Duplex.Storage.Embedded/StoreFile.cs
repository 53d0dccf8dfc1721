using System.Globalization;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded;

/// <summary>A store's locked file, opened for writing, with its tables in place.</summary>
internal readonly record struct StoreFile(DirectoryLock Lock, Database Database)
{
    /// <summary>Opens or makes the file of a store; nothing stays open if it throws.</summary>
    public static StoreFile Open(string directory, string store, string schema, int formatVersion, EmbeddedOptions options)
    {
        var root = Path.GetFullPath(directory);
        var path = Path.Combine(root, $"{store}.db");
        var directoryLock = DirectoryLock.Take(root, store);
        Database? database = null;
        try
        {
            database = Database.OpenWriter(path, options.FileBytesMax);
            if (ReadVersion(database, formatVersion) == 0)
            {
                database.Begin();
                database.Execute(schema);
                database.Execute($"PRAGMA user_version = {formatVersion.ToString(CultureInfo.InvariantCulture)}");
                database.Commit();
            }

            return new StoreFile(directoryLock, database);
        }
        catch (Exception e)
        {
            database?.Dispose();
            directoryLock.Dispose();
            if (e is SqliteException failure)
            {
                throw new SyncException(StorageFault.Describe(failure, path), e);
            }

            throw;
        }
    }

    private static int ReadVersion(Database database, int known)
    {
        var version = int.Parse(database.Query("PRAGMA user_version"), CultureInfo.InvariantCulture);
        if (version > known)
        {
            throw new SyncException(ErrorCode.StorageUnreadable,
                $"{database.FilePath} has format {version}; this version of Duplex knows formats up to {known}.",
                "Run the version of Duplex that wrote it, or a later one.");
        }

        return version;
    }
}
