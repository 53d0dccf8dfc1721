using System.Collections.Frozen;
using Duplex.Sdk;

namespace Duplex.Engine.Outbound;

/// <summary>Which addresses requests may reach, and what an answer may cost.</summary>
public sealed record AddressPolicy
{
    /// <summary>Ports of services that speak no HTTP and could be made to act by what an HTTP request holds.</summary>
    public static readonly FrozenSet<int> RefusedPortsDefault = FrozenSet.ToFrozenSet(
    [
        1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
        111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526, 530, 531,
        532, 540, 548, 554, 556, 563, 587, 601, 636, 873, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 2375, 2379,
        2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5672, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
        6697, 9042, 9092, 9200, 9300, 10080, 10250, 11211, 27017,
    ]);

    /// <summary>Addresses beyond the public internet that may be reached.</summary>
    public IReadOnlyList<AllowedTarget> Allowed { get; init; } = [];

    /// <summary>Ports that no request goes to unless an entry of <see cref="Allowed"/> names host and port.</summary>
    public IReadOnlySet<int> RefusedPorts { get; init; } = RefusedPortsDefault;

    /// <summary>The largest body of an answer, in bytes as they travel.</summary>
    public long ResponseBytesMax { get; init; } = 16 << 20;

    /// <summary>The longest that a request may take to the last byte of its answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>The longest that name resolution, connecting and the TLS handshake may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The policy with these entries allowed.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.ConfigInvalid"/>: an entry cannot be read.</exception>
    public static AddressPolicy Allowing(params IEnumerable<string> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        return new AddressPolicy
        {
            Allowed = [.. entries.Select(static e => AllowedTarget.TryParse(e, out var target) ? target
                : throw new SyncException(ErrorCode.ConfigInvalid, $"'{e}' is neither a network nor host:port.",
                    "Write 10.1.0.0/16, 10.1.2.3 or receiver.internal:8080."))],
        };
    }
}
