namespace Duplex.Storage.Embedded.Tests;

/// <summary>A file system of a few megabytes, with a file in it that can be removed to make room.</summary>
internal sealed class SmallDisk : IDisposable
{
    public SmallDisk(int megabytes, int ballastMegabytes)
    {
        Root = Directory.CreateTempSubdirectory("duplex-disk-").FullName;
        if (!Needs.Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "none", Root))
        {
            throw new InvalidOperationException($"Nothing can be mounted at {Root}.");
        }

        Data = Path.Combine(Root, "data");
        File.WriteAllBytes(Ballast, new byte[ballastMegabytes << 20]);
    }

    public string Root { get; }

    public string Data { get; }

    public long FreeBytes => new DriveInfo(Root).AvailableFreeSpace;

    private string Ballast => Path.Combine(Root, "ballast");

    public void MakeRoom() => File.Delete(Ballast);

    public void Dispose()
    {
        Needs.Run("umount", "-l", Root);
        Directory.Delete(Root);
    }
}
