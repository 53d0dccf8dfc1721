using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Duplex.Engine.Outbound;

/// <summary>
/// What kind of network an address belongs to, after IANA's registries of special-purpose addresses. Only addresses of
/// the public internet may be dialled without an allowance; whatever the registries do not give to it is refused.
/// </summary>
internal static class AddressKind
{
    /// <summary>The well-known prefix of NAT64, whose last four bytes are the address that is dialled in the end.</summary>
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    private static readonly (IPNetwork Network, string Name)[] Refused4 =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "unspecified"),
        (IPNetwork.Parse("10.0.0.0/8"), "private"),
        (IPNetwork.Parse("100.64.0.0/10"), "carrier-grade NAT"),
        (IPNetwork.Parse("127.0.0.0/8"), "loopback"),
        (IPNetwork.Parse("169.254.0.0/16"), "link-local"),
        (IPNetwork.Parse("172.16.0.0/12"), "private"),
        (IPNetwork.Parse("192.0.0.0/24"), "reserved for protocols"),
        (IPNetwork.Parse("192.0.2.0/24"), "documentation"),
        (IPNetwork.Parse("192.88.99.0/24"), "6to4 relay"),
        (IPNetwork.Parse("192.168.0.0/16"), "private"),
        (IPNetwork.Parse("198.18.0.0/15"), "benchmarking"),
        (IPNetwork.Parse("198.51.100.0/24"), "documentation"),
        (IPNetwork.Parse("203.0.113.0/24"), "documentation"),
        (IPNetwork.Parse("224.0.0.0/4"), "multicast"),
        (IPNetwork.Parse("240.0.0.0/4"), "reserved"),
    ];

    private static readonly (IPNetwork Network, string Name)[] Refused6 =
    [
        (IPNetwork.Parse("::/128"), "unspecified"),
        (IPNetwork.Parse("::1/128"), "loopback"),
        (IPNetwork.Parse("::/96"), "IPv4-compatible"),
        (IPNetwork.Parse("::ffff:0:0:0/96"), "IPv4-translated"),
        (IPNetwork.Parse("64:ff9b:1::/48"), "local NAT64"),
        (IPNetwork.Parse("100::/64"), "discard"),
        (IPNetwork.Parse("2001::/32"), "Teredo tunnel"),
        (IPNetwork.Parse("2001::/23"), "reserved for protocols"),
        (IPNetwork.Parse("2001:db8::/32"), "documentation"),
        (IPNetwork.Parse("3fff::/20"), "documentation"),
        (IPNetwork.Parse("5f00::/16"), "segment routing"),
        (IPNetwork.Parse("fc00::/7"), "unique-local"),
        (IPNetwork.Parse("fe80::/10"), "link-local"),
        (IPNetwork.Parse("fec0::/10"), "site-local"),
        (IPNetwork.Parse("ff00::/8"), "multicast"),
    ];

    /// <summary>Where clouds answer with credentials: allowed by nothing but the very address.</summary>
    private static readonly IPAddress[] Metadata =
    [
        IPAddress.Parse("169.254.169.254"), IPAddress.Parse("169.254.170.2"), IPAddress.Parse("169.254.170.23"),
        IPAddress.Parse("169.254.0.23"), IPAddress.Parse("100.100.100.200"), IPAddress.Parse("192.0.0.192"),
        IPAddress.Parse("168.63.129.16"), IPAddress.Parse("fd00:ec2::254"), IPAddress.Parse("fd00:ec2::23"),
        IPAddress.Parse("fd20:ce::254"),
    ];

    /// <summary>The kind that is not to be dialled, or null for an address of the public internet.</summary>
    public static string? Refusal(IPAddress address)
    {
        address = Plain(address);
        if (IsMetadata(address))
        {
            return "metadata service";
        }

        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return NameIn(Refused4, address);
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return "not an internet address";
        }

        if (address.ScopeId != 0)
        {
            return "bound to an interface";
        }

        if (NameIn(Refused6, address) is { } name)
        {
            return name;
        }

        if (Embedded(address) is { } inner && Refusal(inner) is { } refused)
        {
            return $"{refused}, embedded as {inner}";
        }

        return GlobalUnicast.Contains(address) || Nat64.Contains(address) ? null : "reserved";
    }

    /// <summary>Whether a cloud's metadata service answers there, also by way of a translation.</summary>
    public static bool IsMetadata(IPAddress address)
    {
        address = Plain(address);
        return Array.IndexOf(Metadata, address) >= 0
            || (address.AddressFamily == AddressFamily.InterNetworkV6 && Embedded(address) is { } inner && IsMetadata(inner));
    }

    /// <summary>The address that a socket would dial: IPv4 where it is mapped into IPv6.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static string? NameIn((IPNetwork Network, string Name)[] networks, IPAddress address)
    {
        foreach (var (network, name) in networks)
        {
            if (network.Contains(address))
            {
                return name;
            }
        }

        return null;
    }

    /// <summary>The IPv4 address that a gateway unwraps from NAT64, 6to4 and ISATAP; null where there is none.</summary>
    private static IPAddress? Embedded(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (Nat64.Contains(address))
        {
            return new IPAddress(bytes[12..]);
        }

        if (SixToFour.Contains(address))
        {
            return new IPAddress(bytes[2..6]);
        }

        var isatap = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]) & 0xFDFF_FFFF;
        return isatap == 0x0000_5EFE ? new IPAddress(bytes[12..]) : null;
    }
}
