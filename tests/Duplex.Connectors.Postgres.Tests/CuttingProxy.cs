using System.Net;
using System.Net.Sockets;

namespace Duplex.Connectors.Postgres.Tests;

/// <summary>
/// Stands between a client and the server. When it is armed and the server's answer holds the given bytes, it keeps
/// the answer and cuts the client off: the work was done, and nobody tells.
/// </summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _serverPort;
    private readonly byte[] _secret;
    private readonly Task _accepting;
    private int _cuts;

    public CuttingProxy(int serverPort, byte[] secret)
    {
        _serverPort = serverPort;
        _secret = secret;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public bool Armed { get; set; }

    public int Cuts => _cuts;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
            {
                relays.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            await server.ConnectAsync(IPAddress.Loopback, _serverPort);
            await Task.WhenAny(
                CopyAsync(client.GetStream(), server.GetStream(), cuts: false),
                CopyAsync(server.GetStream(), client.GetStream(), cuts: true));
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool cuts)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, _end.Token) is var read and > 0)
            {
                if (cuts && Armed && buffer.AsSpan(0, read).IndexOf(_secret) >= 0)
                {
                    Interlocked.Increment(ref _cuts);
                    return;
                }

                await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One of the two ends is gone; so is the relay.
        }
    }
}
