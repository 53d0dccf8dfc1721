using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Duplex.Push.Tests.Outbound;

/// <summary>Answers every request with the same bytes and, unless it stays open, closes when they told it to.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly byte[] _answer;
    private readonly bool _staysOpen;
    private readonly Task _accepting;
    private int _accepted;

    public RawServer(string answer = Ok, bool staysOpen = false)
    {
        _answer = Encoding.ASCII.GetBytes(answer);
        _staysOpen = staysOpen;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Url => new($"http://127.0.0.1:{Port}/");

    public int Accepted => Volatile.Read(ref _accepted);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            Interlocked.Increment(ref _accepted);
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            var buffer = new byte[16 << 10];
            while (await stream.ReadAsync(buffer, _stop.Token) > 0)
            {
                await stream.WriteAsync(_answer, _stop.Token);
                if (!_staysOpen && Encoding.ASCII.GetString(_answer).Contains("Connection: close", StringComparison.Ordinal))
                {
                    return;
                }
            }
        }
    }
}
