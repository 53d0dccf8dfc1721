using System.Net;
using System.Net.Sockets;

namespace Duplex.Cli.Demo;

/// <summary>Chooses ports on loopback.</summary>
internal static class LoopbackPort
{
    /// <summary>The preferred port if it is free, otherwise any free one.</summary>
    public static int Take(int preferred) => Bound(preferred) ?? Bound(0)!.Value;

    private static int? Bound(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
