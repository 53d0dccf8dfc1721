using System.Net;
using Duplex.Server.Access;

namespace Duplex.Server;

/// <summary>Where the server listens and whom it lets in.</summary>
public sealed record ServerOptions
{
    /// <summary>The address of the data plane (webhooks, health).</summary>
    public IPAddress DataBind { get; init; } = IPAddress.Loopback;

    /// <summary>The port of the data plane; 0 for a free one.</summary>
    public int DataPort { get; init; } = 3000;

    /// <summary>The address of the control plane (API, documentation, metrics).</summary>
    public IPAddress ControlBind { get; init; } = IPAddress.Loopback;

    /// <summary>The port of the control plane; 0 for a free one.</summary>
    public int ControlPort { get; init; } = 8000;

    /// <summary>Who may use the API. Empty: anyone on this machine, and the control plane must stay on loopback.</summary>
    public IReadOnlyList<ApiKey> Keys { get; init; } = [];

    /// <summary>How long a stop waits for requests in flight, and then for writes in flight.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(10);
}
