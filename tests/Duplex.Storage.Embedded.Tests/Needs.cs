using System.Diagnostics;
using Xunit;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>Skips a test where the machine lacks a program or does not grant a right; the reason says which.</summary>
internal static class Needs
{
    public static void Program(string name)
    {
        var found = Environment.GetEnvironmentVariable("PATH")!.Split(':')
            .Any(folder => File.Exists(Path.Combine(folder, name)));
        That(found, $"{name} is not installed");
    }

    /// <summary>The right to mount a file system.</summary>
    public static void Mount()
    {
        var probe = Directory.CreateTempSubdirectory("duplex-mount-").FullName;
        var mounted = Run("mount", "-t", "tmpfs", "-o", "size=64k", "none", probe);
        if (mounted)
        {
            Run("umount", probe);
        }

        Directory.Delete(probe);
        That(mounted, "this user may not mount a tmpfs");
    }

    public static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
        process!.WaitForExit();
        return process.ExitCode == 0;
    }

    public static void That(bool met, string reason) => Skip.IfNot(met, reason);
}
