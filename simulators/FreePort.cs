using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Duplex.Simulators;

/// <summary>
/// Loopback ports for servers that are started later, or stopped and started again. A port that the system picks can meanwhile
/// be given to any connection or listener of the machine; these are outside the range from which it picks.
/// </summary>
internal static class FreePort
{
    private const int First = 15_000;
    private const int EnoughPorts = 1_000;
    private static readonly HashSet<int> Given = [];
    private static readonly int End = FirstThatTheSystemPicks();

    /// <summary>A port that nobody listens on and that was not given before.</summary>
    public static int Take()
    {
        if (End - First < EnoughPorts)
        {
            return Listen(0) ?? throw new InvalidOperationException("No loopback port is free.");
        }

        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(First, End);
            lock (Given)
            {
                if (Given.Add(port) && Listen(port) is not null)
                {
                    return port;
                }
            }
        }
    }

    /// <summary>The port, if one can listen on it; null if it is taken.</summary>
    private static int? Listen(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static int FirstThatTheSystemPicks()
    {
        const string range = "/proc/sys/net/ipv4/ip_local_port_range";
        return File.Exists(range)
            ? int.Parse(File.ReadAllText(range).Split('\t', ' ')[0], CultureInfo.InvariantCulture)
            : 49_152;
    }
}
