using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Duplex.Simulators.Kafka;

/// <summary>Asks a broker, in Kafka's own protocol, which brokers there are.</summary>
internal static class MetadataProbe
{
    private const int BrokersAt = 8;

    // Length, api Metadata, version 4, correlation id, no client id; no topics, none to be made.
    private static readonly byte[] Request = [0, 0, 0, 15, 0, 3, 0, 4, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0, 0];

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(2);

    /// <summary>Whether the broker answers and takes part.</summary>
    public static async Task<bool> AnswersAsync(int port)
    {
        using var deadline = new CancellationTokenSource(Within);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Request, deadline.Token);
            var length = new byte[4];
            await stream.ReadExactlyAsync(length, deadline.Token);
            var answer = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
            await stream.ReadExactlyAsync(answer, deadline.Token);
            return answer.Length >= BrokersAt + 4 && BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(BrokersAt)) > 0;
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            return false;
        }
    }
}
