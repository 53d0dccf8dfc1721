using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Config;

/// <summary>How the server is reached and what it logs, validated and immutable.</summary>
public sealed record ServerModel
{
    /// <summary>Where the data plane listens (webhooks, health). Loopback unless configured; port 0 takes a free
    /// one.</summary>
    public required IPEndPoint DataPlane { get; init; }

    /// <summary>Where the control plane listens (API, metrics).</summary>
    public required IPEndPoint ControlPlane { get; init; }

    /// <summary>Who may call the control plane. Empty only where every address is loopback: then callers need no
    /// key.</summary>
    public required IReadOnlyList<ApiKeyModel> ApiKeys { get; init; }

    /// <summary>The least severe level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>The largest request body, in bytes.</summary>
    public long BodyBytesMax { get; init; } = 1 << 20;

    /// <summary>How long a stop waits for requests and writes in flight.</summary>
    public TimeSpan StopWithin { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>What the holder of an API key may do.</summary>
public enum ApiRole
{
    /// <summary>Look.</summary>
    Viewer,
    /// <summary>Look, pause, resume, replay and resolve.</summary>
    Operator,
    /// <summary>Everything.</summary>
    Admin,
}

/// <summary>One API key. The key itself is not kept, only its SHA-256.</summary>
/// <param name="Name">Its name, for logs.</param>
/// <param name="Role">What its holder may do.</param>
/// <param name="Tenant">The only tenant it is good for; null for all.</param>
/// <param name="Digest">The SHA-256 of the key's UTF-8.</param>
public sealed record ApiKeyModel(string Name, ApiRole Role, string? Tenant, ReadOnlyMemory<byte> Digest)
{
    /// <summary>The shortest key that is taken.</summary>
    public const int LengthMin = 16;

    /// <summary>Whether a presented key is this one, in time that does not depend on where they differ.</summary>
    public bool Matches(string presented)
    {
        ArgumentNullException.ThrowIfNull(presented);
        return CryptographicOperations.FixedTimeEquals(Digest.Span, SHA256.HashData(Encoding.UTF8.GetBytes(presented)));
    }
}
