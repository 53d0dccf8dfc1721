using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>An ext4 file system in a file, whose power can be cut: what was not synced is gone after the next
/// mount.</summary>
internal sealed partial class LoopDisk : IDisposable
{
    private const uint ShutDown = 0x8004587d;
    private const uint WithoutFlush = 2;

    private readonly string _image;
    private readonly string _root;

    private LoopDisk(string image, string root)
    {
        _image = image;
        _root = root;
        Data = Path.Combine(root, "data");
    }

    public string Data { get; }

    public static LoopDisk Make()
    {
        Needs.Program("mkfs.ext4");
        Needs.Mount();
        var root = Directory.CreateTempSubdirectory("duplex-loop-").FullName;
        var image = root + ".img";
        using (var file = File.Create(image))
        {
            file.SetLength(64 << 20);
        }

        var disk = new LoopDisk(image, root);
        var mounted = Needs.Run("mkfs.ext4", "-q", "-F", image)
            && Needs.Run("mount", "-o", "loop,commit=600", image, root);
        if (!mounted)
        {
            disk.Dispose();
        }

        Needs.That(mounted, "this machine cannot mount a file system from a file");
        return disk;
    }

    public void CutPower()
    {
        var handle = open(_root, 0);
        var flags = WithoutFlush;
        var result = handle < 0 ? -1 : ioctl(handle, ShutDown, ref flags);
        var error = Marshal.GetLastPInvokeError();
        _ = close(handle);
        if (result != 0)
        {
            throw new Win32Exception(error);
        }
    }

    public void Remount()
    {
        // A process that another test starts holds our files open between its fork and its exec.
        var free = Enumerable.Range(0, 200).Any(_ => Needs.Run("umount", _root));
        if (!free || !Needs.Run("mount", "-o", "loop,commit=600", _image, _root))
        {
            throw new InvalidOperationException($"{_image} cannot be mounted again.");
        }
    }

    public void Dispose()
    {
        Needs.Run("umount", "-l", _root);
        Directory.Delete(_root);
        File.Delete(_image);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int handle, nuint request, ref uint argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int handle);
}
