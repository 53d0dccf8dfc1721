using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using Duplex.Sdk;
using ErrorCode = Duplex.Sdk.ErrorCode;

namespace Duplex.Kafka.Clients;

/// <summary>Finds Kafka's native client library, which the system's package manager installs.</summary>
internal static class Librdkafka
{
    private const string Name = "librdkafka";
    private static readonly string[] Files = ["librdkafka.so.1", "librdkafka.1.dylib", "librdkafka.so", "librdkafka"];
    private static readonly Lazy<string?> Problem = new(Load);

    /// <summary>Makes the library known before the first client is made.</summary>
    /// <exception cref="SyncException">The machine has none.</exception>
    public static void Require()
    {
        if (Problem.Value is { } problem)
        {
            throw new SyncException(ErrorCode.ConfigInvalid, $"Kafka's client library cannot be used: {problem}",
                "Install librdkafka (Debian: apt-get install librdkafka1).");
        }
    }

    private static string? Load()
    {
        try
        {
            NativeLibrary.SetDllImportResolver(typeof(Error).Assembly, Resolve);
            _ = Library.Version;
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or InvalidOperationException or BadImageFormatException
            or EntryPointNotFoundException)
        {
            return e.Message;
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Name)
        {
            return 0;
        }

        foreach (var file in Files)
        {
            if (NativeLibrary.TryLoad(file, assembly, path, out var handle))
            {
                return handle;
            }
        }

        return 0;
    }
}
