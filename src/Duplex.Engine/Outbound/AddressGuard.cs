using System.Net;
using System.Net.Sockets;
using Duplex.Sdk;

namespace Duplex.Engine.Outbound;

/// <summary>
/// Keeps requests to addresses that users give away from what is not theirs: the machine itself, its private networks and
/// the metadata service of its cloud. A host is resolved once per connection, every address of the answer is checked, and
/// only a checked address is dialled, so that a name that changes its mind in between gains nothing. Redirects are not
/// followed and no proxy is used. May be called from many tasks at once.
/// </summary>
/// <param name="policy">What is allowed beyond the public internet.</param>
/// <param name="clock">Measures time-outs.</param>
/// <param name="resolve">Resolves a name to its addresses; null for the system's resolver.</param>
public sealed class AddressGuard(
    AddressPolicy policy, TimeProvider clock,
    Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
{
    private const int AddressesMax = 4;

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;

    /// <summary>
    /// Why a URL is refused by what it says itself, without resolving its host; null if nothing speaks against it. For
    /// configuration: a request is checked again when it connects.
    /// </summary>
    public SyncError? Check(Uri url)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!url.IsAbsoluteUri)
        {
            return Refused("The address is not absolute.", "Write https://host/path.");
        }

        if (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp)
        {
            return Refused($"Requests go by http or https, not by '{url.Scheme}'.", "Write https://host/path.");
        }

        if (url.UserInfo.Length > 0)
        {
            return Refused("The address holds a user name or password.", "Take them out of the address.");
        }

        var host = HostOf(url.IdnHost);
        if (host.Length == 0)
        {
            return Refused("The address has no host.", "Write https://host/path.");
        }

        return CheckPort(host, url.Port)
            ?? (IPAddress.TryParse(host, out var address) ? CheckAddress(host, url.Port, address) : null);
    }

    /// <summary>Makes a handler that sends guarded requests. Its connections are its own; dispose it at the end.</summary>
    public HttpMessageHandler CreateHandler() => CreateHandler(static _ => { });

    /// <summary>Makes a handler that sends guarded requests, with more settings (client certificates, say).</summary>
    public HttpMessageHandler CreateHandler(Action<SocketsHttpHandler> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var sockets = new SocketsHttpHandler
        {
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            MaxResponseHeadersLength = 32,
            MaxResponseDrainSize = 64 << 10,
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        };
        configure(sockets);
        sockets.AllowAutoRedirect = false;
        sockets.UseProxy = false;
        sockets.UseCookies = false;
        sockets.AutomaticDecompression = DecompressionMethods.None;
        sockets.ConnectTimeout = policy.ConnectTimeout;
        sockets.ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, cancellationToken);
        return new GuardedHandler(this, policy, clock, sockets);
    }

    private async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellationToken)
    {
        var host = HostOf(target.Host);
        if (CheckPort(host, target.Port) is { } refused)
        {
            throw new SyncException(refused);
        }

        IPAddress[] addresses = IPAddress.TryParse(host, out var literal) ? [literal]
            : await _resolve(host, cancellationToken).ConfigureAwait(false);
        if (addresses.Length == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        // A name with one address inside and one outside is refused as a whole: it leads inwards now and then.
        foreach (var address in addresses)
        {
            if (CheckAddress(host, target.Port, address) is { } error)
            {
                throw new SyncException(error);
            }
        }

        return await DialAsync(addresses.AsMemory(0, Math.Min(addresses.Length, AddressesMax)), target.Port, cancellationToken)
            .ConfigureAwait(false);
    }

    private async Task<Stream> DialAsync(ReadOnlyMemory<IPAddress> addresses, int port, CancellationToken cancellationToken)
    {
        var share = policy.ConnectTimeout / addresses.Length;
        for (var i = 0; ; i++)
        {
            var address = AddressKind.Plain(addresses.Span[i]);
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                using var patience = new CancellationTokenSource(share, clock);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
                await socket.ConnectAsync(new IPEndPoint(address, port), both.Token).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException
                && i + 1 < addresses.Length && !cancellationToken.IsCancellationRequested)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private SyncError? CheckPort(string host, int port) =>
        port is > 0 and <= 65_535 && (!policy.RefusedPorts.Contains(port) || policy.Allowed.Any(a => a.Names(host, port)))
            ? null
            : Refused($"Port {port} is not for requests.", $"Use another port, or allow {host}:{port}.");

    private SyncError? CheckAddress(string host, int port, IPAddress address)
    {
        address = AddressKind.Plain(address);
        return AddressKind.Refusal(address) is not { } kind || policy.Allowed.Any(a => a.Allows(host, port, address))
            ? null
            : Refused($"{host} is at {address}, which is not on the public internet ({kind}).",
                $"Allow {address} or {host}:{port} if requests are meant to go there.");
    }

    private static string HostOf(string host) => host.Trim('[', ']').TrimEnd('.');

    private static SyncError Refused(string message, string suggestion) =>
        new(ErrorCode.ConfigInvalid, message, Suggestion: suggestion);
}
