using Microsoft.Extensions.Logging;

namespace Duplex.Sdk;

/// <summary>What the engine hands to a connector about one connection. Immutable; shared by its source, sink and
/// reader.</summary>
public sealed record ConnectorContext
{
    /// <summary>The tenant that owns the connection.</summary>
    public required string Tenant { get; init; }

    /// <summary>The connection's name in the configuration.</summary>
    public required string Connection { get; init; }

    /// <summary>
    /// Identifies this installation (its data directory) in marks at other systems: 8 characters of <c>a-z2-7</c>, made
    /// once.
    /// </summary>
    public required string Installation { get; init; }

    /// <summary>The validated settings.</summary>
    public required ConnectionSettings Settings { get; init; }

    /// <summary>The rate budget that every outgoing request asks first.</summary>
    public required IRateBudget Budget { get; init; }

    /// <summary>The clock. Connectors never read another one.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Makes loggers. Record values and secrets never go into them.</summary>
    public required ILoggerFactory Loggers { get; init; }

    /// <summary>Makes the HTTP handler that carries outgoing requests (with its guards); null for connectors without
    /// HTTP and in tests.</summary>
    public Func<HttpMessageHandler>? HttpHandler { get; init; }
}

/// <summary>
/// A budget of requests per second, by scope. In process, or shared by processes. Correctness never depends on it: when
/// a shared budget cannot be asked, it lets requests through.
/// </summary>
public interface IRateBudget
{
    /// <summary>
    /// Waits until the scope has room for one request and takes it. Called before every request, from many tasks at
    /// once; served in order of arrival per scope. Cancellation gives the place up and takes nothing.
    /// </summary>
    /// <param name="scope">Tenant, connection and operation, e.g. <c>acme/billing/POST /v1/customers</c>.</param>
    /// <param name="perSecond">The rate; zero or less means no limit.</param>
    /// <param name="burst">How many may go at once after a pause; at least 1.</param>
    /// <param name="cancellationToken">Gives the place up.</param>
    ValueTask AcquireAsync(string scope, double perSecond, int burst, CancellationToken cancellationToken);

    /// <summary>Holds the scope back until the time has passed: the other side said 429. Later requests of the scope
    /// wait.</summary>
    void HoldBack(string scope, TimeSpan duration);
}
