using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Duplex.Engine.Outbound;

/// <summary>
/// What an operator lets requests reach although it is not on the public internet: <c>10.1.0.0/16</c>, <c>10.1.2.3</c>,
/// <c>[::1]:8080</c> or <c>receiver.internal:8080</c>.
/// </summary>
public sealed class AllowedTarget
{
    private readonly IPNetwork? _network;
    private readonly string? _host;
    private readonly int? _port;
    private readonly string _text;

    private AllowedTarget(string text, IPNetwork? network, string? host, int? port)
    {
        _text = text;
        _network = network;
        _host = host;
        _port = port;
    }

    /// <summary>Reads an entry of the allow list; false for anything that is neither.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out AllowedTarget? target)
    {
        target = null;
        text = text?.Trim();
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        if (text.Contains('/', StringComparison.Ordinal))
        {
            target = IPNetwork.TryParse(text, out var network) ? new AllowedTarget(text, network, null, null) : null;
            return target is not null;
        }

        if (IsAddress(text, out var address) && !HasPort(text))
        {
            target = new AllowedTarget(text, Single(address), null, null);
            return true;
        }

        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port == 0)
        {
            return false;
        }

        var host = text[..colon];
        target = IsAddress(host, out address) ? new AllowedTarget(text, Single(address), null, port)
            : Uri.CheckHostName(host) == UriHostNameType.Dns ? new AllowedTarget(text, null, host, port) : null;
        return target is not null;
    }

    /// <summary>The entry as it was given.</summary>
    public override string ToString() => _text;

    /// <summary>Whether the entry lets a request for the host and port go to the address.</summary>
    internal bool Allows(string host, int port, IPAddress address) =>
        (_port is null || _port == port)
        && (_host is null || string.Equals(_host, host, StringComparison.OrdinalIgnoreCase))
        && (_network is null || _network.Value.Contains(address))
        && (!AddressKind.IsMetadata(address) || IsExactly(address));

    /// <summary>Whether the entry names the host and port as such, so that the port is chosen on purpose.</summary>
    internal bool Names(string host, int port) => _port == port
        && (_host is null
            ? IPAddress.TryParse(host, out var address) && _network!.Value.Contains(AddressKind.Plain(address))
            : string.Equals(_host, host, StringComparison.OrdinalIgnoreCase));

    private bool IsExactly(IPAddress address) => _network is { } network && network.BaseAddress.Equals(address)
        && network.PrefixLength == network.BaseAddress.GetAddressBytes().Length * 8;

    private static IPNetwork Single(IPAddress address)
    {
        var plain = AddressKind.Plain(address);
        return new IPNetwork(plain, plain.GetAddressBytes().Length * 8);
    }

    /// <summary>Whether it is an address as it is usually written; <c>8080</c> and <c>10.1</c> are one to a parser only.</summary>
    private static bool IsAddress(string text, [NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address) && (text.Contains(':', StringComparison.Ordinal) || address.ToString() == text);

    /// <summary>An address in brackets may carry a port, which parsing an address passes over.</summary>
    private static bool HasPort(string text) => text.StartsWith('[') && !text.EndsWith(']');
}
