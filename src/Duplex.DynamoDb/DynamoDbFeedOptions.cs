namespace Duplex.DynamoDb;

/// <summary>Where the feeds are, and how they are reached.</summary>
public sealed record DynamoDbFeedOptions
{
    /// <summary>The region, such as <c>eu-central-1</c>; null for the environment's own.</summary>
    public string? Region { get; init; }

    /// <summary>Another address than the region's, for a local server or a private endpoint.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>What the names of both tables begin with.</summary>
    public string TablePrefix { get; init; } = "duplex_";

    /// <summary>The access key; null for the credentials that the machine has.</summary>
    public string? AccessKey { get; init; }

    /// <summary>The secret key that belongs to it.</summary>
    public string? SecretKey { get; init; }

    /// <summary>The clock for storing times and retention.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Carries the requests; null for the default.</summary>
    public Func<HttpMessageHandler>? HttpHandler { get; init; }
}
