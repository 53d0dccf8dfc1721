using System.Globalization;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded;

/// <summary>A store's locked file, opened for writing, with its tables in place.</summary>
internal readonly record struct StoreFile(DirectoryLock Lock, Database Database)
{
    /// <summary>Opens or makes the file of a store; nothing stays open if it throws.</summary>
    public static StoreFile Open(string directory, StoreSchema schema, EmbeddedOptions options)
    {
        var root = Path.GetFullPath(directory);
        var path = Path.Combine(root, $"{schema.Store}.db");
        var directoryLock = DirectoryLock.Take(root, schema.Store);
        Database? database = null;
        try
        {
            database = Database.OpenWriter(path, schema.PageBytes, schema.CacheBytes, options.FileBytesMax);
            var version = ReadVersion(database, schema.FormatVersion);
            if (version < schema.FormatVersion)
            {
                database.Begin();
                foreach (var upgrade in version == 0 ? [] : schema.Upgrades.Skip(version - 1))
                {
                    database.Execute(upgrade);
                }

                database.Execute(schema.Tables);
                database.Execute(
                    $"PRAGMA user_version = {schema.FormatVersion.ToString(CultureInfo.InvariantCulture)}");
                database.Commit();
            }

            return new StoreFile(directoryLock, database);
        }
        catch (Exception e)
        {
            database?.Dispose();
            directoryLock.Dispose();
            throw Explain(e, path);
        }
    }

    /// <summary>Closes what is open, and gives the exception that the opener of the store sees.</summary>
    public Exception Abandon(Exception cause)
    {
        Database.Dispose();
        Lock.Dispose();
        return Explain(cause, Database.FilePath);
    }

    private static Exception Explain(Exception cause, string path) => cause is SqliteException failure
        ? new SyncException(StorageFault.Describe(failure, path), failure)
        : cause;

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

/// <summary>What a store's file looks like.</summary>
/// <param name="Store">The file's name without ending.</param>
/// <param name="FormatVersion">The format that this version of Duplex writes.</param>
/// <param name="PageBytes">The size of a page: large for long blobs, small for rows that change here and there.</param>
/// <param name="CacheBytes">Memory that the writer keeps pages in: little for appends, more for rows that change
/// anywhere.</param>
/// <param name="Tables">The statements that make the tables; those of tables that are there do nothing.</param>
internal sealed record StoreSchema(string Store, int FormatVersion, int PageBytes, int CacheBytes, string Tables)
{
    /// <summary>What changes the tables of an older file, before <see cref="Tables"/>: from format 1 to 2, from 2 to 3
    /// and so on.</summary>
    public IReadOnlyList<string> Upgrades { get; init; } = [];
}
