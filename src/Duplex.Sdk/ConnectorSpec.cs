namespace Duplex.Sdk;

/// <summary>
/// What a connector is, declared once, in code. Validation, JSON schema, CLI help, redaction and the reference page are
/// derived from it.
/// </summary>
public sealed record ConnectorSpec
{
    /// <summary>The name in <c>connector:</c>, lower case: <c>postgres</c>.</summary>
    public required string Name { get; init; }

    /// <summary>One sentence for people.</summary>
    public required string Summary { get; init; }

    /// <summary>Every setting that a connection takes besides <c>connector</c> and <c>tenant</c>.</summary>
    public required IReadOnlyList<Setting> Settings { get; init; }

    /// <summary>The fixed streams of a vendor's API; empty where streams are found at the connection
    /// (tables).</summary>
    public IReadOnlyList<string> Streams { get; init; } = [];

    /// <summary>What it can do.</summary>
    public required ConnectorCapabilities Capabilities { get; init; }
}

/// <summary>What a connector can do, as the engine needs to know it.</summary>
public sealed record ConnectorCapabilities
{
    /// <summary>
    /// Whether the order in the log is the order at the source. Where it is not (webhooks), a change that is not
    /// younger than what the link knows is in doubt, and the engine reads the record before it decides.
    /// </summary>
    public required bool OrderedStream { get; init; }

    /// <summary>The most requests that one <see cref="IRecordSink.WriteAsync"/> call takes; 1 for single-record
    /// APIs.</summary>
    public int BatchMax { get; init; } = 1;

    /// <summary>How many <see cref="IRecordSink.WriteAsync"/> calls may run at once; at least 1.</summary>
    public int Parallelism { get; init; } = 1;

    /// <summary>Whether <see cref="WriteRequest.Expected"/> is compared in the same step as the write.</summary>
    public bool ComparesBeforeWrite { get; init; }

    /// <summary>Whether the connector takes webhooks (its source is an <see cref="IWebhookSource"/>).</summary>
    public bool Webhooks { get; init; }

    /// <summary>The resolution of <see cref="Change.SourceMicros"/>, in microseconds: 1 for PostgreSQL, 1,000,000 for
    /// Stripe.</summary>
    public long ClockResolutionMicros { get; init; } = 1;

    /// <summary>
    /// How long a read may still show the state before a write or an event that is known already; zero where a read shows all that
    /// was acknowledged before it. A read that contradicts what is known is repeated that long before it is believed.
    /// </summary>
    public TimeSpan ReadLagMax { get; init; }
}
