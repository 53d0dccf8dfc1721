namespace Duplex.Storage.Embedded.Tests;

/// <summary>A data directory of its own, removed at the end.</summary>
internal sealed class DataDirectory : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("duplex-storage-").FullName;

    public string File(string name) => System.IO.Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
