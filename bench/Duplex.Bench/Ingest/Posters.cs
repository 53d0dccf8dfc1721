using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Duplex.Bench.Ingest;

/// <summary>Posts one event per request over connections that stay open, each the next when the last is answered; over
/// bare sockets, so that the load costs little beside what is measured.</summary>
internal static class Posters
{
    public const int Connections = 128;

    /// <summary>Posts so many events; returns how long it took and what the client's processor time was.</summary>
    public static async Task<(double Seconds, double ProcessorSeconds)> RunAsync(int port, int first, int count)
    {
        int next = first - 1, last = first + count;
        long began = Stopwatch.GetTimestamp();
        var processor = Environment.CpuUsage.TotalTime;
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync("127.0.0.1", port);
            byte[] request = new byte[1024], answer = new byte[1024];
            while (Interlocked.Increment(ref next) is var number && number < last)
            {
                await socket.SendAsync(request.AsMemory(0, Write(request, number)));
                await ReadAsync(socket, answer);
            }
        })));
        return (Stopwatch.GetElapsedTime(began).TotalSeconds, (Environment.CpuUsage.TotalTime - processor).TotalSeconds);
    }

    private static int Write(byte[] request, int number)
    {
        string body = string.Create(CultureInfo.InvariantCulture,
            $$"""{"event_type":"INSERT","table":"users","timestamp":"2025-07-19T10:00:00Z","primary_key":{"id":{{number}} }"""
            + $$""","after":{"id":{{number}},"name":"Ash Ketchup","email":"ash.ketchup@pokemon.com"} }""");
        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"),
            request);
    }

    private static async ValueTask ReadAsync(Socket socket, byte[] answer)
    {
        int length = 0;
        while (true)
        {
            int got = await socket.ReceiveAsync(answer.AsMemory(length));
            if (got == 0)
                throw new InvalidOperationException("The server closed the connection.");
            length += got;
            if (length >= 12 && !answer.AsSpan(9, 3).SequenceEqual("200"u8))
                throw new InvalidOperationException(Encoding.ASCII.GetString(answer, 0, length));
            if (answer[length - 1] == '}')
                return;
        }
    }
}
