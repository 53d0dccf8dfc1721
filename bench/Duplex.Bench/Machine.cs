using System.Globalization;

namespace Duplex.Bench;

/// <summary>What else the machine does while something is measured.</summary>
internal static class Machine
{
    /// <summary>Processes that ran or waited to run, mean of the last minute.</summary>
    public static double Load() =>
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
}
