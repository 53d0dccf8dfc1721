using Microsoft.AspNetCore.Mvc;

namespace Duplex.Server.Feeds;

/// <summary>What a request for records carries, unread: each value's own error names it.</summary>
internal sealed class FeedParameters
{
    [FromRoute(Name = "customer")]
    public required string Customer { get; init; }

    [FromQuery(Name = "offset")]
    public string? Offset { get; init; }

    [FromQuery(Name = "limit")]
    public string? Limit { get; init; }

    [FromQuery(Name = "table")]
    public string? Table { get; init; }

    [FromQuery(Name = "wait")]
    public string? Wait { get; init; }

    [FromQuery(Name = "consumer")]
    public string? Consumer { get; init; }

    [FromQuery(Name = "ack")]
    public string? Ack { get; init; }
}
