using System.Diagnostics;
using System.Globalization;

namespace Duplex.Ingest.Tests;

/// <summary>A file system of a few megabytes, which can be filled and emptied again.</summary>
internal sealed class SmallDisk : IDisposable
{
    public SmallDisk(int megabytes)
    {
        Root = Directory.CreateTempSubdirectory("duplex-disk-").FullName;
        var size = string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m");
        var mounted = Run("mount", "-t", "tmpfs", "-o", size, "none", Root);
        if (!mounted)
        {
            Directory.Delete(Root);
        }

        Skip.IfNot(mounted, "this user may not mount a tmpfs");
        Data = Directory.CreateDirectory(Path.Combine(Root, "data")).FullName;
    }

    public string Root { get; }

    public string Data { get; }

    public long FreeBytes => new DriveInfo(Root).AvailableFreeSpace;

    private string Ballast => Path.Combine(Root, "ballast");

    /// <summary>Leaves this many bytes free.</summary>
    public void FillUpTo(long free) => File.WriteAllBytes(Ballast, new byte[FreeBytes - free]);

    public void MakeRoom() => File.Delete(Ballast);

    public void Dispose()
    {
        Run("umount", "-l", Root);
        Directory.Delete(Root);
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
