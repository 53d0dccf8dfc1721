using System.Reflection;
using System.Runtime.InteropServices;

namespace Duplex.Storage.Embedded.Sqlite;

/// <summary>Chooses the SQLite library: the system's where it is recent enough, otherwise the bundled one.</summary>
internal static class SqliteLibrary
{
    /// <summary>The oldest engine with upsert, RETURNING and the WAL fixes that the stores count on.</summary>
    private const int VersionMin = 3_035_000;

    private static readonly Lazy<nint> Handle = new(Load);

    internal static void Route() =>
        NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(),
            static (name, _, _) => name == SqliteNative.Library ? Handle.Value : 0);

    private static nint Load()
    {
        foreach (var name in new[] { "libsqlite3.so.0", "libsqlite3.0.dylib" })
        {
            if (NativeLibrary.TryLoad(name, out var system) && IsUsable(system))
            {
                return system;
            }
        }

        return NativeLibrary.Load(SqliteNative.Library, Assembly.GetExecutingAssembly(), null);
    }

    private static unsafe bool IsUsable(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "sqlite3_libversion_number", out var version)
            || !NativeLibrary.TryGetExport(library, "sqlite3_threadsafe", out var threadsafe))
        {
            return false;
        }

        return ((delegate* unmanaged[Cdecl]<int>)version)() >= VersionMin
            && ((delegate* unmanaged[Cdecl]<int>)threadsafe)() != 0;
    }
}
